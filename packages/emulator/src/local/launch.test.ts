import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { type Launched, launchProcess } from './launch.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-launch-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Answers each line on the channel, and does what some of them say. */
const program = join(folder, 'program.mjs')
writeFileSync(
  program,
  `import { Socket } from 'node:net'
const pipe = new Socket({ fd: 3, readable: true, writable: true })
pipe.on('data', (bytes) => {
  const text = String(bytes)
  if (text === 'exit') process.exit(3)
  if (text === 'print') { console.log('to stdout'); console.error('to stderr') }
  pipe.write(JSON.stringify({ text, cwd: process.cwd(), a: process.env.A, flags: process.execArgv }))
})
pipe.on('end', () => process.exit(0))
pipe.write('ready')
`,
)

function listen(launched: Launched) {
  const heard: string[] = []
  const printed: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' }
  let tell = () => {}
  launched.onData((bytes) => {
    heard.push(Buffer.from(bytes).toString())
    tell()
  })
  launched.onOutput((stream, text) => (printed[stream] += text))
  const hear = async (count: number) => {
    while (heard.length < count) await new Promise<void>((resolve) => (tell = resolve))
    return heard
  }
  return { hear, printed }
}

const launch = (more: Partial<Parameters<typeof launchProcess>[0]> = {}) =>
  launchProcess({ program, cwd: folder, env: { A: '1' }, ...more })

test('a process gets bytes over the channel, with the variables and folder it was given', async () => {
  const worker = launch({ flags: ['--no-warnings'] })
  const { hear, printed } = listen(worker)
  await hear(1)
  // Two writes of one turn arrive as one.
  worker.send(Buffer.from('pri'))
  worker.send(Buffer.from('nt'))
  const [, answer] = await hear(2)
  expect(JSON.parse(answer!)).toEqual({ text: 'print', cwd: folder, a: '1', flags: ['--no-warnings'] })
  expect(worker.pid).toBeGreaterThan(0)
  worker.kill()
  expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' })
  expect(printed).toEqual({ stdout: 'to stdout\n', stderr: 'to stderr\n' })
})

test('the end of a process has its code, and writing to it afterwards does nothing', async () => {
  const worker = launch()
  await listen(worker).hear(1)
  worker.send(Buffer.from('exit'))
  expect(await worker.exited).toEqual({ code: 3, signal: null })
  worker.send(Buffer.from('more'))
})

test('a process that cannot be started ends with the reason', async () => {
  const worker = launch({ cwd: join(folder, 'nowhere') })
  expect(await worker.exited).toEqual({
    code: null,
    signal: null,
    reason: expect.stringContaining('ENOENT'),
  })
})

for (const [how, end] of [
  ['exits', 'process.exit(0)'],
  ['is interrupted', "process.kill(process.pid, 'SIGINT')"],
] as const) {
  test(`workers do not outlive a host that ${how}`, async () => {
    const host = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { launchProcess } from ${JSON.stringify(join(import.meta.dirname, 'launch.ts'))}
         const options = { cwd: ${JSON.stringify(folder)}, env: {} }
         const worker = launchProcess({ ...options, program: ${JSON.stringify(program)} })
         worker.onData(() => { process.stdout.write(String(worker.pid), () => { ${end} }) })`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let pid = ''
    host.stdout.on('data', (text) => (pid += text))
    const [code, signal] = await new Promise<unknown[]>((resolve) =>
      host.once('close', (...ending) => resolve(ending)),
    )
    expect([code, signal]).toEqual(how === 'exits' ? [0, null] : [null, 'SIGINT'])
    expect(Number(pid)).toBeGreaterThan(0)
    const isAlive = () => {
      try {
        return process.kill(Number(pid), 0)
      } catch {
        return false
      }
    }
    const until = Date.now() + 10_000
    while (isAlive() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isAlive()).toBe(false)
  })
}
