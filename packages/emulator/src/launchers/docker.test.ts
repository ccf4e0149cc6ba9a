import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { workerImages } from '@flash/protocol'
import { offlineBase } from './base-image.ts'
import { createDockerLauncher, type DockerLauncherOptions } from './docker.ts'
import { describeLauncher } from './testing/conformance.ts'
import { createScriptedEngine, type ScriptedEngine } from './testing/engine.ts'
import { createPrograms, listen } from './testing/programs.ts'

let engine: ScriptedEngine
const programs = createPrograms()
const cleaning: (() => unknown)[] = []

beforeAll(async () => {
  engine = await createScriptedEngine()
  process.env.DOCKER_HOST = engine.host
  engine.images.add('tested-image:1')
})
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean()
  engine.gateway = '127.0.0.1'
  engine.hasQuota = true
  engine.hasGpus = false
})
afterAll(async () => {
  await engine.close()
  programs.remove()
  delete process.env.DOCKER_HOST
})

describeLauncher('docker, with a scripted engine', () => createDockerLauncher())

function create(options?: DockerLauncherOptions) {
  const launcher = createDockerLauncher(options)
  cleaning.push(() => launcher.close())
  return launcher
}

/** Runs a worker to its end. */
async function run(
  order: Parameters<typeof programs.order>[1] = {},
  options?: DockerLauncherOptions,
  script = '',
) {
  const worker = create(options).start(programs.order(script, order))
  const { texts } = listen(worker)
  const exit = await worker.exited
  return { exit, worker, system: texts('system'), created: engine.created.at(-1)! }
}

test('a container can do little: no capabilities, no root that is written, limits, files read-only', async () => {
  const mounts = [
    { source: '/usr', target: '/there' },
    { source: '/var/tmp', target: '/runpod-volume', writable: true },
  ]
  const { created } = await run({
    args: 'true',
    mounts,
    limits: { memoryBytes: 2e8, cpus: 64 },
    env: { A: '1' },
  })
  expect(created).toMatchObject({
    Image: 'tested-image:1',
    Cmd: ['true'],
    Env: ['HOME=/flash/home', 'A=1', 'SCRIPT='],
    ExposedPorts: {},
    HostConfig: {
      Init: true,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: 2_048,
      Memory: 2e8,
      MemorySwap: 2e8,
      // The engine has two, and refuses more.
      NanoCpus: 2e9,
      NetworkMode: 'bridge',
      Mounts: [
        { Type: 'bind', Source: '/usr', Target: '/there', ReadOnly: true },
        { Type: 'bind', Source: '/var/tmp', Target: '/runpod-volume', ReadOnly: false },
      ],
    },
  })
  expect(Object.keys(created.HostConfig!.Tmpfs!)).toEqual(['/tmp', '/flash/home'])
})

test('user and root of the files are as the options say, and nothing is limited that was not asked for', async () => {
  const { created } = await run({}, { user: '1234:1234', writableRoot: true })
  expect(created).toMatchObject({ User: '1234:1234', HostConfig: { ReadonlyRootfs: false } })
  expect(created).not.toHaveProperty('Cmd')
  expect(created.HostConfig).not.toHaveProperty('Memory')
  expect(created.HostConfig).not.toHaveProperty('NanoCpus')
})

test('as it is, an image runs as `docker run` would', async () => {
  const { created } = await run({ gpuCount: 1 }, { asIs: true })
  expect(created.Env).toEqual(['SCRIPT='])
  for (const field of ['CapDrop', 'ReadonlyRootfs', 'Tmpfs', 'DeviceRequests'])
    expect(created.HostConfig).not.toHaveProperty(field)
  expect(created.HostConfig).toMatchObject({ SecurityOpt: ['no-new-privileges'], PidsLimit: 2_048 })
})

test('an endpoint with GPUs has those of the machine, where the engine can give them', async () => {
  engine.hasGpus = true
  const { created } = await run({ gpuCount: 2 })
  expect(created.HostConfig!.DeviceRequests).toEqual([{ Count: -1, Capabilities: [['gpu']] }])
  expect((await run()).created.HostConfig).not.toHaveProperty('DeviceRequests')
})

test('an engine that cannot limit processors is not asked to', async () => {
  engine.hasQuota = false
  const { created } = await run({ args: 'true', limits: { memoryBytes: 2e8, cpus: 2 } })
  expect(created.HostConfig).toMatchObject({ Memory: 2e8 })
  expect(created.HostConfig).not.toHaveProperty('NanoCpus')
})

test('a balanced container is published on the loopback address only', async () => {
  const { created } = await run({ kind: 'balanced', env: { PORT: '8000', PORT_HEALTH: '8001' } })
  const published = [{ HostIp: '127.0.0.1', HostPort: '' }]
  expect(created.HostConfig!.PortBindings).toEqual({ '8000/tcp': published, '8001/tcp': published })
})

test('an image that is not there is pulled once for all who wait, with what the registry says', async () => {
  engine.registry.set('ghcr.io/me/pulled:2', null)
  const launcher = create()
  const registryAuth = { username: 'ann', password: 'planted-password' }
  const order = () => programs.order('', { image: 'ghcr.io/me/pulled:2', registryAuth })
  const workers = [launcher.start(order()), launcher.start(order())].map((worker) => ({
    worker,
    ...listen(worker),
  }))
  for (const { worker } of workers) expect(await worker.exited).toMatchObject({ code: 0 })
  const pulls = engine.requests.filter(({ line }) => line.includes('fromImage=ghcr.io'))
  expect(pulls).toHaveLength(1)
  expect(JSON.parse(Buffer.from(pulls[0]!.auth!, 'base64').toString())).toEqual(registryAuth)
  const lines = workers.flatMap(({ texts }) => texts('system'))
  expect(lines.slice(0, 6)).toEqual([
    'pulling image ghcr.io/me/pulled:2',
    'a1b2: Pulling fs layer',
    'a1b2: Downloading',
    'a1b2: Pull complete',
    'ghcr.io/me/pulled:2: Downloaded newer image',
    'pulled image ghcr.io/me/pulled:2',
  ])
  expect(lines.join()).not.toContain('planted-password')
})

test('a name without a tag is the latest', async () => {
  engine.registry.set('untagged:latest', null)
  await run({ image: 'untagged' })
  expect(engine.images).toContain('untagged:latest')
})

test('an image that cannot be had ends the worker, and says what stands in when something does', async () => {
  const image = 'nowhere/at-all:1'
  const { exit, system } = await run({ image })
  expect(exit).toEqual({
    code: null,
    signal: null,
    reason: 'image nowhere/at-all:1 cannot be had: not found',
  })
  expect(system.at(-1)).toBe(exit.reason)
  const second = await run({ image }, { fallback: 'tested-image:1' })
  expect(second.exit.code).toBe(0)
  expect(second.system).toContain(`${exit.reason}; tested-image:1 stands in for it`)
  expect((await run({ image }, { fallback: image })).exit.reason).toBe(exit.reason)
})

for (const [what, options, image] of [
  ['our own image', {}, workerImages.cpu],
  ['one that a table maps', { images: { 'mine:1': offlineBase } }, 'mine:1'],
  ['one that a function maps', { images: () => offlineBase }, 'any:1'],
] as const) {
  test(`the image made of the local Node runs in place of ${what}`, async () => {
    const { exit, created } = await run({ image }, options)
    expect(exit).toMatchObject({ code: 0 })
    expect(created.Image).toMatch(
      new RegExp(`^${offlineBase}:node${process.versions.node}-${process.arch}-[0-9a-f]{12}$`),
    )
    expect(created.User ?? '1000').not.toBe('0:0')
  })
}

test('our own image is used as it is where it was built', async () => {
  engine.images.add(workerImages.gpu)
  expect((await run({ image: workerImages.gpu })).created.Image).toBe(workerImages.gpu)
})

test('without a bridge, containers use the network of this machine, and are told', async () => {
  engine.gateway = null
  const launcher = create()
  expect(await launcher.reachable('http://127.0.0.1:1234')).toBe('http://127.0.0.1:1234')
  const worker = launcher.start(programs.order('console.log(process.env.PORT)', { kind: 'balanced' }))
  const { texts } = listen(worker)
  await worker.exited
  expect(texts('system')[0]).toContain('the engine has no bridge')
  expect(await worker.address).toBe(`http://127.0.0.1:${texts('container')[0]}`)
  expect(engine.created.at(-1)!.HostConfig!.NetworkMode).toBe('host')
})

test('a bridge of another machine is reached by the name that Docker Desktop gives this one', async () => {
  engine.gateway = '203.0.113.1'
  const { reachable } = create()
  expect(await reachable('http://127.0.0.1:1234/v2')).toBe('http://host.docker.internal:1234/v2')
  expect(await reachable('https://127.0.0.1:1234')).toBe('https://host.docker.internal:1234')
  expect(await create({ network: 'host' }).reachable('http://127.0.0.1:1')).toBe('http://127.0.0.1:1')
})

test('containers of emulators that are gone are removed at the first start, others are left alone', async () => {
  const gone = String(spawnSync(process.execPath, ['-e', '']).pid)
  const own = { 'unplugin-flash.host': hostname(), 'unplugin-flash.emulator': 'other' }
  const containers = {
    crashed: { ...own, 'unplugin-flash.pid': gone },
    sameNumber: { ...own, 'unplugin-flash.pid': String(process.pid) },
    running: { ...own, 'unplugin-flash.pid': String(process.ppid) },
    elsewhere: { ...own, 'unplugin-flash.pid': gone, 'unplugin-flash.host': 'another' },
  }
  for (const [Id, Labels] of Object.entries(containers))
    engine.containers.set(Id, { Id, Labels, options: {} as never })
  await run()
  expect([...engine.containers.keys()]).toEqual(expect.arrayContaining(['running', 'elsewhere']))
  expect([...engine.containers.keys()]).not.toEqual(expect.arrayContaining(['crashed']))
  expect([...engine.containers.keys()]).not.toEqual(expect.arrayContaining(['sameNumber']))
  engine.containers.clear()
})

test('a container that does not start is told and removed', async () => {
  engine.failures.set(/start$/, 'mounts denied')
  const { exit, worker } = await run({ kind: 'balanced' })
  expect(exit.reason).toContain('mounts denied')
  await expect(worker.address).rejects.toThrow('mounts denied')
  expect(engine.containers.size).toBe(0)
})

test('an end for want of memory, or of the engine, says so', async () => {
  const hungry = await run({ env: { HUNGRY: '1' } }, {}, 'process.exit(1)')
  expect(hungry.exit).toEqual({ code: 1, signal: null, reason: 'it used more memory than its limit' })
  expect(hungry.system.at(-1)).toBe(hungry.exit.reason)
  engine.failures.set(/wait$/, 'engine is stopping')
  const lost = await run()
  expect(lost.exit).toMatchObject({ code: null, reason: expect.stringContaining('engine is stopping') })
})

test('an engine that goes away takes nothing of this process with it', async () => {
  const launcher = createDockerLauncher()
  const worker = launcher.start(programs.order("console.log('up'); setInterval(() => {}, 1_000)"))
  await listen(worker).heard('up')
  const [container] = [...engine.containers.values()]
  container!.output!.destroy()
  engine.failures.set(/DELETE/, 'engine is stopping')
  await worker.stop(0)
  engine.failures.set(/containers\/json/, 'engine is stopping')
  await launcher.close()
  expect(await worker.exited).toMatchObject({ signal: 'SIGKILL' })
  engine.containers.clear()
})

test('a worker that is stopped while its image comes never starts', async () => {
  const count = engine.created.length
  const worker = create().start(programs.order(''))
  await worker.stop(0)
  expect(await worker.exited).toMatchObject({ reason: 'the worker was stopped before it was started' })
  expect(engine.created).toHaveLength(count)
})

test('without an engine the reason and the ways out are told, and one that comes later is found', async () => {
  process.env.DOCKER_HOST = 'unix:///nowhere/docker.sock'
  const launcher = create()
  cleaning.push(() => (process.env.DOCKER_HOST = engine.host))
  const worker = launcher.start(programs.order(''))
  const { texts } = listen(worker)
  expect((await worker.exited).reason).toContain('no Docker engine answers at unix:///nowhere/docker.sock')
  expect(texts('system')[0]).toContain('start Docker, say in DOCKER_HOST where it is')
  await expect(launcher.reachable('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'NEEDS_DOCKER' })
  process.env.DOCKER_HOST = engine.host
  expect(await launcher.start(programs.order('')).exited).toMatchObject({ code: 0 })
})

test('without its library the install command is told', async () => {
  vi.doMock('dockerode', () => {
    throw new Error('Cannot find package')
  })
  cleaning.push(() => vi.doUnmock('dockerode'))
  await expect(create().reachable('http://127.0.0.1:1')).rejects.toMatchObject({
    code: 'NEEDS_DOCKER',
    hint: 'run: npm install --save-dev dockerode',
  })
})
