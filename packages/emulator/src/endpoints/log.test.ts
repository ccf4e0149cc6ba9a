import { expect, test } from 'vitest'
import { createLog } from './log.ts'

test('lines have a source, a time and a rising index', () => {
  const log = createLog()
  log.add('system', 'worker is starting', 5)
  log.add('container', 'hello', 7)
  expect(log.lines()).toEqual([
    { source: 'system', line: 'worker is starting', at: 5, index: 0 },
    { source: 'container', line: 'hello', at: 7, index: 1 },
  ])
})

test('the last 5000 lines are kept, in order', () => {
  const log = createLog()
  for (let count = 0; count < 12_345; count++) log.add('container', `line ${count}`, count)
  const lines = log.lines()
  expect(lines).toHaveLength(5_000)
  expect(lines.map((line) => line.index)).toEqual(Array.from({ length: 5_000 }, (_, at) => 7_345 + at))
  expect(lines.at(-1)!.line).toBe('line 12344')
})

test('a line that is too long is cut', () => {
  const log = createLog()
  log.add('container', 'x'.repeat(10_000), 0)
  expect(log.lines()[0]!.line).toBe(`${'x'.repeat(8_192)}…`)
})

test('listeners hear each line until they stop', () => {
  const log = createLog()
  const heard: string[] = []
  const stop = log.onLine(({ line }) => heard.push(line))
  log.add('container', 'a', 0)
  stop()
  log.add('container', 'b', 0)
  expect(heard).toEqual(['a'])
})

test('the last output is what the worker itself wrote', () => {
  const log = createLog()
  log.add('system', 'worker is ready', 0)
  for (let count = 0; count < 30; count++) log.add('container', `line ${count}`, 0)
  log.add('system', 'worker is gone', 0)
  const said = log.lastOutput().split('\n')
  expect(said).toHaveLength(20)
  expect([said[0], said[19]]).toEqual(['line 10', 'line 29'])
})
