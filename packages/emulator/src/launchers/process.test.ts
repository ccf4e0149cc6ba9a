import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { describeLauncher } from './testing/conformance.ts'
import { createPrograms, listen } from './testing/programs.ts'
import { createProcessLauncher } from './process.ts'
import type { WorkerOrder } from './launcher.ts'

describeLauncher('process', () => createProcessLauncher())

const programs = createPrograms()
afterAll(() => programs.remove())

const cleaning: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleaning.splice(0)) await clean()
})

/** Runs a worker to its end; gives its lines without those of the platform. */
async function run(order: WorkerOrder, options?: Parameters<typeof createProcessLauncher>[0]) {
  const launcher = createProcessLauncher(options)
  cleaning.push(() => launcher.close())
  const worker = launcher.start(order)
  const { texts } = listen(worker)
  const exit = await worker.exited
  return { exit, lines: texts('container'), system: texts('system') }
}

const print = 'console.log(JSON.stringify([process.argv.slice(1), process.cwd()]))'
const node = process.execPath
const bare = { mounts: [] }

for (const [what, args, expected] of [
  ['a program with quoted words', `${node} -e '${print}' "two words" plain`, ['two words', 'plain']],
  ['a shell that is named', `bash -c "${node} -e '${print.replaceAll("'", '')}' \\$((1+1))"`, ['2']],
] as const) {
  test(`the start command is run: ${what}`, async () => {
    const { lines } = await run(programs.order('', { args, ...bare }), { cwd: tmpdir() })
    expect(lines).toEqual([JSON.stringify([expected, tmpdir()])])
  })
}

test('what `program` gives goes before everything else; where it gives nothing, the rest applies', async () => {
  const program = ({ endpoint }: WorkerOrder) =>
    endpoint === 'tested' ? { command: [node, '-e', print, 'given'], cwd: '/' } : null
  const args = `${node} -e '${print}' named`
  expect((await run(programs.order('', { args }), { program })).lines).toEqual(['[["given"],"/"]'])
  const other = await run(programs.order('', { args, endpoint: 'other' }), { program, cwd: tmpdir() })
  expect(other.lines).toEqual([JSON.stringify([['named'], tmpdir()])])
})

test('a bundle that is mounted runs with the arguments of the start command', async () => {
  const { lines } = await run(programs.order('console.log(process.argv.at(-1))', { args: '--fast' }))
  expect(lines).toEqual(['--fast'])
})

for (const [what, more, message] of [
  [
    'nothing to run',
    bare,
    'image tested-image:1 has no program on this machine; give `program`, or use the docker launcher',
  ],
  [
    'a quote without an end',
    { args: 'bash -c "oh' },
    'the quote at character 9 of the start command is never closed: bash -c "oh',
  ],
] as const) {
  test(`${what} is told in a line and in the end`, async () => {
    const { exit, system } = await run(programs.order('', more))
    expect(exit).toEqual({ code: null, signal: null, reason: message })
    expect(system).toEqual([message])
  })
}

test('who waits for an address hears why there is none', async () => {
  const launcher = createProcessLauncher()
  const worker = launcher.start(programs.order('', { args: 'no-such-program', kind: 'balanced' }))
  await expect(worker.address).rejects.toThrow('cannot start no-such-program')
  expect(await worker.exited).toMatchObject({
    code: null,
    signal: null,
    reason: expect.stringContaining('ENOENT'),
  })
})

test('health has a port of its own when the endpoint says so', async () => {
  const script = 'console.log(process.env.PORT === process.env.PORT_HEALTH)'
  for (const [env, isOne] of [
    [{}, 'true'],
    [{ PORT: '80', PORT_HEALTH: '80' }, 'true'],
    [{ PORT_HEALTH: '80' }, 'true'],
    [{ PORT: '8000', PORT_HEALTH: '8001' }, 'false'],
  ] as const) {
    expect((await run(programs.order(script, { kind: 'balanced', env }))).lines).toEqual([isOne])
  }
})

test('nothing of a worker stays on the disk', async () => {
  const script = `import { writeFileSync } from 'node:fs'
    writeFileSync(process.env.TMPDIR + '/big', 'x'); console.log(process.env.TMPDIR)`
  const launcher = createProcessLauncher()
  const worker = launcher.start(programs.order(script))
  const { texts } = listen(worker)
  await worker.exited
  await launcher.close()
  await worker.stop(0)
  expect(existsSync(texts('container')[0]!)).toBe(false)
})

test('what an emulator that crashed has left is ended at the next start', async () => {
  const crashed = await new Promise<number>((resolve) => {
    const child = execFile(node, ['-e', ''], () => resolve(child.pid!))
  })
  const folder = join(tmpdir(), `flash-process-${crashed}-abc123`)
  mkdirSync(join(folder, 'home'), { recursive: true })
  const left = spawn(node, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { HOME: join(folder, 'home') },
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => left.once('exit', (_, signal) => resolve(signal)))
  await run(programs.order(''))
  expect(await ended).toBe('SIGKILL')
  expect(existsSync(folder)).toBe(false)
})

const module = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)

/** A program of its own that uses the launcher. */
function outside(script: string) {
  const child = spawn(node, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleaning.push(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (bytes) => (text += bytes))
  const exited = new Promise<string>((resolve) => child.once('close', () => resolve(text)))
  return {
    child,
    exited,
    said: (what: string) => expect.poll(() => text, { timeout: 10_000 }).toContain(what),
  }
}

test('200 MB of output, in lines and without any, need no memory to speak of', async () => {
  const flood = (end: string) =>
    `const text = Buffer.alloc(1e6, ('x'.repeat(99) + ${JSON.stringify(end)}))
     const more = (left) => { if (left > 0) process.stdout.write(text, () => more(left - 1)) }
     more(100)`
  const { exited } = outside(`
    import { createProcessLauncher } from ${module('./process.ts')}
    import { createPrograms } from ${module('./testing/programs.ts')}
    const programs = createPrograms()
    const launcher = createProcessLauncher()
    let characters = 0
    const run = async (script) => {
      const worker = launcher.start(programs.order(script))
      worker.onLine(({ text }) => void (characters += text.length))
      await worker.exited
    }
    let peak = 0
    setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20).unref()
    await run(${JSON.stringify(flood('\n'))}.replace('more(100)', 'more(3)'))
    const before = process.memoryUsage.rss()
    characters = 0
    for (const script of ${JSON.stringify([flood('\n'), flood('x')])}) await run(script)
    console.log(JSON.stringify({ characters, grown: peak - before }))
    programs.remove()`)
  const { characters, grown } = JSON.parse(await exited)
  expect(characters).toBeGreaterThan(99e6)
  // Garbage that was not collected yet is most of it.
  expect(grown).toBeLessThan(60e6)
})

test('when the emulator ends, its workers and their folders are gone', async () => {
  const { child, exited, said } = outside(`
    import { createProcessLauncher } from ${module('./process.ts')}
    import { createPrograms } from ${module('./testing/programs.ts')}
    const programs = createPrograms()
    const script = "console.log('pid ' + process.pid + '.'); setInterval(() => {}, 1000)"
    createProcessLauncher().start(programs.order(script)).onLine(({ text }) => console.log(text))
    process.on('exit', () => programs.remove())`)
  await said('pid ')
  child.kill('SIGINT')
  const pid = /pid (\d+)/.exec(await exited)![1]
  // A dead process has no command line, also while nobody asks for its exit code.
  const commandLine = () => (existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '')
  await expect.poll(commandLine).toBe('')
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`flash-process-${child.pid}-`))).toEqual([])
})
