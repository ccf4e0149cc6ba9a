import { spawn } from 'node:child_process'
import {
  buildBaseImage,
  connectEngine,
  createDockerLauncher,
  describeBaseImage,
  offlineBase,
} from '@flash/emulator/launchers'
import { createPrograms, describeLauncher, listen } from '@flash/emulator/launchers/testing'
import { createEmulator, type Emulator } from '@flash/emulator/runpod'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { buildProject } from '../helpers/build.ts'
import { openDocker } from '../helpers/docker.ts'
import { copyPlayground } from '../helpers/playground.ts'

const docker = await openDocker()

if (typeof docker === 'string') {
  console.warn(docker)
  test(docker, () => expect(process.env.FLASH_TESTS).not.toBe('all'))
} else describe('on a Docker engine', testContainers)

function testContainers() {
  const engine = docker as Exclude<typeof docker, string>
  const programs = createPrograms()
  const images = { 'tested-image:1': offlineBase }
  const create = (options = {}) => createDockerLauncher({ images, ...options })
  const cleaning: (() => unknown)[] = []
  afterEach(async () => {
    for (const clean of cleaning.splice(0).reverse()) await clean()
  })
  afterAll(async () => {
    programs.remove()
    await engine.close()
  })

  const listContainers = async () => {
    const docker = await connectEngine()
    const found = await docker.listContainers({ all: true, filters: { label: ['unplugin-flash.emulator'] } })
    return found.map(({ Labels }) => Labels['unplugin-flash.pid'])
  }

  /** Runs a worker to its end. */
  const run = async (script: string, more = {}, options = {}) => {
    const launcher = create(options)
    cleaning.push(() => launcher.close())
    const worker = launcher.start(programs.order(script, more))
    const { texts } = listen(worker)
    const exit = await worker.exited
    return { exit, lines: texts('container'), system: texts('system') }
  }

  describeLauncher('docker', create)

  test('a program in a container has no capabilities, is not root, and writes to its home and /tmp only', async () => {
    const { exit, lines } = await run(`
      import { readFileSync, writeFileSync } from 'node:fs'
      import { homedir } from 'node:os'
      const status = readFileSync('/proc/self/status', 'utf8')
      console.log(/CapEff:\\s*(\\w+)/.exec(status)[1], /NoNewPrivs:\\s*(\\d)/.exec(status)[1], process.getuid() > 0)
      for (const folder of ['/', '/usr/local/bin', '/flash/bundle', '/tmp', homedir()]) {
        try { writeFileSync(folder + '/new', ''); console.log(folder, 'written') }
        catch ({ code }) { console.log(folder, code) }
      }`)
    expect(exit.code).toBe(0)
    expect(lines).toEqual([
      '0000000000000000 1 true',
      expect.stringMatching(/^\/ E(ROFS|ACCES)$/),
      expect.stringMatching(/^\/usr\/local\/bin E(ROFS|ACCES)$/),
      expect.stringMatching(/^\/flash\/bundle E(ROFS|ACCES)$/),
      '/tmp written',
      '/flash/home written',
    ])
  })

  test('the image has what programs look for: time zones, names, certificates', async () => {
    const { lines, exit } = await run(
      `import { lookup } from 'node:dns/promises'
      import { userInfo } from 'node:os'
      import { rootCertificates } from 'node:tls'
      console.log(new Date(0).getHours(), userInfo().username, (await lookup('localhost')).address, rootCertificates.length > 50)`,
      { env: { TZ: 'Asia/Tokyo' } },
      { user: '1000:1000' },
    )
    expect(lines).toEqual([expect.stringMatching(/^9 node (127\.0\.0\.1|::1) true$/)])
    expect(exit.code).toBe(0)
  })

  test('memory has a limit, and going over it is told', async () => {
    const limits = { memoryBytes: 96 * 1024 * 1024, cpus: 0.5 }
    const { exit } = await run('const all = []; for (;;) all.push(Buffer.alloc(4e6, 1))', { limits })
    expect(exit).toEqual({ code: null, signal: 'SIGKILL', reason: 'it used more memory than its limit' })
  })

  test('on the network of the machine, workers have ports of their own', async () => {
    const launcher = create({ network: 'host' })
    cleaning.push(() => launcher.close())
    const script = `import { createServer } from 'node:http'
      createServer((_, response) => response.end(process.env.NAME)).listen(Number(process.env.PORT), () => console.log('up'))`
    for (const NAME of ['one', 'two']) {
      const worker = launcher.start(programs.order(script, { kind: 'balanced', env: { NAME, PORT: '80' } }))
      await listen(worker).heard('up')
      expect(await (await fetch((await worker.address)!)).text()).toBe(NAME)
    }
    expect(await launcher.reachable('http://127.0.0.1:1')).toBe('http://127.0.0.1:1')
  })

  test('an image that is nowhere ends the worker with the words of the engine', async () => {
    const { exit, system } = await run('', { image: '127.0.0.1:1/no/such:1' })
    expect(exit).toMatchObject({ code: null, signal: null })
    expect(exit.reason).toMatch(/^image 127\.0\.0\.1:1\/no\/such:1 cannot be had: .+/)
    expect(system.at(-1)).toBe(exit.reason)
  })

  test('the image made of the local Node is the same each time', async () => {
    const [one, other] = await Promise.all([describeBaseImage(), describeBaseImage()])
    expect(one.name).toBe(other.name)
    const docker = await connectEngine()
    const id = async () => (await docker.getImage(one.name).inspect()).RootFS.Layers
    const first = await id()
    await docker.getImage(one.name).remove({ force: true })
    await buildBaseImage(docker, one)
    expect(await id()).toEqual(first)
  })

  test('containers of an emulator that was killed are removed by the next one', async () => {
    const order = programs.order("console.log('up'); setInterval(() => {}, 1000)")
    const script = `
      import { createDockerLauncher, offlineBase } from '@flash/emulator/launchers'
      const launcher = createDockerLauncher({ images: { 'tested-image:1': offlineBase } })
      launcher.start(${JSON.stringify(order)}).onLine(({ text }) => console.log(text))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (bytes) => (text += bytes))
    await expect.poll(() => text, { timeout: 20_000 }).toContain('up\n')
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
    expect(await listContainers()).toContain(String(child.pid))
    await run('')
    await expect.poll(listContainers).toEqual([])
  })

  test('a bundle of the playground runs as on the platform', async () => {
    const project = copyPlayground('basic')
    cleaning.push(() => project.remove())
    const { code, output } = await buildProject(project)
    expect(code, output).toBe(0)
    const emulator: Emulator = await createEmulator({ launcher: 'docker' })
    cleaning.push(() => emulator.close())
    const bundles = emulator.addBundles(project.path('.flash/build'))
    const ask = async (name: string, input: unknown) => {
      const { url } = bundles.find((bundle) => bundle.name === name)!
      const response = await fetch(`${url}/runsync?wait=60000`, {
        method: 'POST',
        headers: { authorization: emulator.env.RUNPOD_API_KEY!, 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
      })
      return response.json()
    }
    const greeting = { 'flash:call': { v: 1, fn: 'greet' }, name: 'Ann' }
    expect(await ask('basic-small', greeting)).toMatchObject({
      status: 'COMPLETED',
      // Numbers of processes are small in a container.
      output: expect.stringMatching(/^Hello Ann, from process \d{1,2}$/),
    })
    expect(await listContainers()).toEqual([String(process.pid)])
    expect(await ask('remote-schema-quote', { item: 'bread', quantity: 4 })).toMatchObject({
      status: 'COMPLETED',
      output: { text: '4 × bread', total: 10 },
    })
    expect(await ask('remote-schema-quote', { item: 'bread', quantity: 0 })).toMatchObject({
      status: 'FAILED',
    })
    await emulator.close()
    expect(await listContainers()).toEqual([])
  }, 120_000)
}
