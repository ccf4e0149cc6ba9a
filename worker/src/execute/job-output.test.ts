import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { contextStorage, type FunctionContext } from './context.ts'
import { captureJobs } from './job-output.ts'

class Stream extends EventEmitter {
  writableLength = 0
  text = ''
  write(chunk: string | Uint8Array): boolean {
    this.text += String(chunk)
    return true
  }
}

function create() {
  const streams = { stdout: new Stream(), stderr: new Stream() }
  const output = captureJobs(streams)
  const start = (say: (line: string) => void) => {
    const job = output.open((_, line) => say(line))
    const context = {} as FunctionContext
    job.own(context)
    return { job, run: <T>(body: () => T) => contextStorage().run(context, body) }
  }
  return { streams, output, start }
}

test('two jobs beside each other: each has its own 10,000 lines, in their order', async () => {
  const { streams, output, start } = create()
  const heard: Record<string, string[]> = { a: [], b: [] }
  const log = async (id: string) => {
    const { job, run } = start((line) => heard[id]!.push(line))
    await run(async () => {
      for (let n = 0; n < 10_000; n++) {
        streams[n % 3 === 0 ? 'stderr' : 'stdout'].write(`${id} ${n}\n`)
        if (n % 100 === 0) await turn()
      }
    })
    job.end()
  }
  await Promise.all([log('a'), log('b')])
  for (const id of ['a', 'b'])
    expect(heard[id]).toEqual(Array.from({ length: 10_000 }, (_, n) => `${id} ${n}`))
  expect([streams.stdout.text, streams.stderr.text]).toEqual(['', ''])
  output.restore()
})

test('what belongs to no job goes its usual way, also what is said about one', () => {
  const { streams, output, start } = create()
  const { job, run } = start((line) => streams.stdout.write(`{"line":"${line}"}\n`))
  streams.stdout.write('nobody\n')
  run(() => streams.stdout.write('somebody\n'))
  job.end()
  run(() => streams.stdout.write('too late\n'))
  expect(streams.stdout.text).toBe('nobody\n{"line":"somebody"}\ntoo late\n')
  output.restore()
  expect(Object.hasOwn(streams.stdout, 'write')).toBe(false)
  expect(streams.stdout.listenerCount('drain')).toBe(0)
})

test('what is said about a job after its end goes the usual way, and is no other job’s', () => {
  const { streams, output, start } = create()
  const heard: string[] = []
  const { job } = start((line) => heard.push(line))
  const other = start((line) => heard.push(line))
  job.end()
  other.run(() => job.write('stderr', 'afterwards\n'))
  other.job.end()
  expect([heard, streams.stderr.text]).toEqual([[], 'afterwards\n'])
  output.restore()
})

test('lines wait for a stream that is full', () => {
  const { streams, output, start } = create()
  const heard: string[] = []
  const { job, run } = start((line) => heard.push(line))
  streams.stdout.writableLength = 1_000_000
  run(() => streams.stdout.write('a\n'))
  expect(heard).toEqual([])
  streams.stdout.writableLength = 0
  streams.stdout.emit('drain')
  expect(heard).toEqual(['a'])
  streams.stderr.writableLength = 1_000_000
  job.write('stdout', 'b')
  job.end()
  expect(heard).toEqual(['a', 'b'])
  output.restore()
})
