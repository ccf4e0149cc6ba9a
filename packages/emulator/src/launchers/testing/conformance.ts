import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CreateLauncher, createLauncherBench, type LauncherBench } from './bench.ts'
import { listen } from './programs.ts'

type Rules = Record<string, (bench: LauncherBench) => Promise<void>>

const STOP_MS = 10_000
const FOREVER = 'setInterval(() => {}, 1_000)'

const startRules: Rules = {
  async 'a worker has the variables it is given and no others of this process'({ start, later }) {
    process.env.FLASH_TEST_OUTER = 'outside'
    later(() => delete process.env.FLASH_TEST_OUTER)
    const { worker, texts } = start(
      'console.log(JSON.stringify([process.env.A, process.env.B, process.env.FLASH_TEST_OUTER ?? null]))',
      { env: { A: '1 "2" $3', B: 'ä\n' } },
    )
    expect(await worker.exited).toMatchObject({ code: 0, signal: null })
    expect(texts('container')).toEqual([JSON.stringify(['1 "2" $3', 'ä\n', null])])
  },

  async 'home and temporary folder are empty and can be written'({ start }) {
    const { worker, texts } = start(`
      import { readdirSync, writeFileSync } from 'node:fs'
      import { homedir, tmpdir } from 'node:os'
      for (const folder of [homedir(), tmpdir()]) {
        console.log(readdirSync(folder).length)
        writeFileSync(folder + '/file', 'text')
      }`)
    expect(await worker.exited).toMatchObject({ code: 0 })
    expect(texts('container')).toEqual(['0', '0'])
  },

  async 'both streams arrive as lines, each in its order, the last one without an end too'({ start }) {
    const { worker, texts } = start(`
      for (let at = 0; at < 500; at++) { console.log('out ' + at); console.error('err ' + at) }
      process.stdout.write('out last')`)
    await worker.exited
    for (const stream of ['out', 'err']) {
      const numbered = Array.from({ length: 500 }, (_, at) => `${stream} ${at}`)
      const expected = stream === 'out' ? [...numbered, 'out last'] : numbered
      expect(texts('container').filter((text) => text.startsWith(stream))).toEqual(expected)
    }
  },

  async 'a balanced worker is reached at its address'({ start }) {
    const { worker, heard } = start(
      `import { createServer } from 'node:http'
      createServer((request, response) => response.end('hello ' + request.url)).listen(Number(process.env.PORT), () => console.log('up'))`,
      { kind: 'balanced', env: { PORT: '80' } },
    )
    await heard('up')
    const address = await worker.address
    // An engine may open the way to a port a moment after the container listens.
    const ask = async () => (await fetch(`${address}/there`)).text()
    await expect.poll(ask, { timeout: 5_000 }).toBe('hello /there')
  },

  async 'a worker on a queue has no address, and reaches a server of this machine'({ start, serve }) {
    const url = await serve((path) => `answer to ${path}`)
    const { worker, texts } = start(`console.log(await (await fetch('${url}/ask?x=1')).text())`)
    expect(await worker.address).toBeNull()
    await worker.exited
    expect(texts('container')).toEqual(['answer to /ask?x=1'])
  },

  async 'a program that is not there is told in a line, and the worker ends'({ start }) {
    const { worker, texts } = start('', { args: 'no-such-program --flag' })
    expect((await worker.exited).code).not.toBe(0)
    expect([...texts('system'), ...texts('container')].join('\n')).toContain('no-such-program')
  },
}

const endRules: Rules = {
  async 'the end of a worker has its exit code'({ start }) {
    expect(await start('process.exit(7)').worker.exited).toMatchObject({ code: 7, signal: null })
  },

  async 'the end of a worker has its signal'({ start }) {
    const { worker } = start(`process.kill(process.pid, 'SIGKILL'); ${FOREVER}`)
    expect(await worker.exited).toMatchObject({ code: null, signal: 'SIGKILL' })
  },

  async 'a worker that listens to SIGTERM says its last words'({ start }) {
    const { worker, texts, heard } = start(
      `process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); console.log('up'); ${FOREVER}`,
    )
    await heard('up')
    await worker.stop(STOP_MS)
    expect(await worker.exited).toMatchObject({ code: 0, signal: null })
    expect(texts('container')).toEqual(['up', 'bye'])
  },

  async 'a worker that ignores SIGTERM is killed when its time is over'({ start }) {
    const { worker, heard } = start(
      `process.on('SIGTERM', () => console.log('no')); console.log('up'); ${FOREVER}`,
    )
    await heard('up')
    const stopped = worker.stop(400)
    await heard('no')
    await stopped
    expect(await worker.exited).toMatchObject({ code: null, signal: 'SIGKILL' })
  },

  'nothing that a worker has started is left when it is stopped': (bench) =>
    leavesNothing(bench, FOREVER, (stop) => stop(200)),

  'nothing that a worker has started is left when it ends by itself': (bench) =>
    leavesNothing(bench, 'process.exit(0)', () => {}),

  async 'a worker can be stopped at once, twice, and after its end'({ start }) {
    const { worker } = start(FOREVER)
    await Promise.all([worker.stop(0), worker.stop(0)])
    expect((await worker.exited).code).not.toBe(0)
    await worker.stop(STOP_MS)
  },

  async 'closing ends every worker'({ create, order }) {
    const launcher = await create()
    const workers = [1, 2].map(() => launcher.start(order(`console.log('up'); ${FOREVER}`)))
    await Promise.all(workers.map((worker) => listen(worker).heard('up')))
    await launcher.close()
    for (const worker of workers) expect((await worker.exited).code).not.toBe(0)
  },
}

/** One child in the worker's group, one in a group of its own; both ask a server again and again, and ignore SIGTERM. */
async function leavesNothing(
  { serve, start }: LauncherBench,
  lastWords: string,
  end: (stop: (graceMs: number) => Promise<void>) => unknown,
): Promise<void> {
  const seen: string[] = []
  const areUp = () => ['/true', '/false'].every((path) => seen.includes(path))
  const url = await serve((path) => {
    if (path !== '/up') seen.push(path)
    return areUp() ? 'both' : 'wait'
  })
  const { worker, heard } = start(`
    import { spawn } from 'node:child_process'
    for (const detached of [true, false]) {
      const ping = "process.on('SIGTERM', () => {}); setInterval(() => fetch('${url}/" + detached + "').catch(() => {}), 20)"
      spawn(process.execPath, ['-e', ping], { detached, stdio: 'inherit' })
    }
    while ((await (await fetch('${url}/up')).text()) !== 'both') await new Promise((resolve) => setTimeout(resolve, 20))
    console.log('all up')
    ${lastWords}`)
  await heard('all up')
  await end(worker.stop)
  await worker.exited
  const soon = async () => {
    const before = seen.length
    await new Promise((resolve) => setTimeout(resolve, 150))
    return seen.length - before
  }
  await expect.poll(soon, { timeout: 1_000 }).toBe(0)
}

/** What every launcher does that starts something. */
export function describeLauncher(name: string, create: CreateLauncher): void {
  describe(`the launcher "${name}"`, () => {
    let bench: LauncherBench
    beforeAll(async () => {
      bench = await createLauncherBench(create)
    })
    afterEach(() => bench.clean())
    afterAll(() => bench?.close())

    for (const [rule, check] of Object.entries({ ...startRules, ...endRules })) test(rule, () => check(bench))
  })
}
