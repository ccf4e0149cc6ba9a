import { expect, test } from 'vitest'
import { createLines, heldLimits } from './lines.ts'
import type { StreamName } from './output.ts'

function open() {
  const written: [StreamName, string][] = []
  const state = { full: false }
  const lines = createLines({
    write: (stream, line) => void written.push([stream, line]),
    isFull: () => state.full,
  })
  return { lines, written, state }
}

test('text becomes lines, whatever its pieces; what was begun ends with the job', () => {
  const { lines, written } = open()
  lines.push('stdout', 'one\ntw')
  lines.push('stderr', 'other\r\n')
  lines.push('stdout', 'o\n\nthree')
  lines.end()
  expect(written).toEqual([
    ['stdout', 'one'],
    ['stderr', 'other'],
    ['stdout', 'two'],
    ['stdout', ''],
    ['stdout', 'three'],
  ])
})

test('a text that never ends is passed on in pieces', () => {
  const { lines, written } = open()
  for (let n = 0; n < 10; n++) lines.push('stdout', 'x'.repeat(10_000))
  expect(written.length).toBe(1)
  lines.end()
  expect(written.map(([, line]) => line).join('')).toBe('x'.repeat(100_000))
})

test('lines wait in their order while nobody takes them', () => {
  const { lines, written, state } = open()
  state.full = true
  lines.push('stdout', 'a\nb\n')
  lines.flush()
  expect(written).toEqual([])
  state.full = false
  lines.push('stderr', 'c\n')
  expect(written).toEqual([])
  lines.flush()
  expect(written.map(([, line]) => line)).toEqual(['a', 'b', 'c'])
  lines.push('stdout', 'd\n')
  expect(written.at(-1)).toEqual(['stdout', 'd'])
})

test('of too many lines the last are kept, and how many are gone is said once', () => {
  const { lines, written, state } = open()
  state.full = true
  for (let n = 0; n < 10_000; n++) lines.push('stdout', `${n}\n`)
  lines.end()
  const [notice, ...kept] = written
  expect(notice).toEqual(['stderr', expect.stringMatching(/^\[9000 lines of output dropped here/)])
  expect(kept).toEqual(Array.from({ length: 1_000 }, (_, n) => ['stdout', String(9_000 + n)]))
})

test('of too much text the last is kept', () => {
  const { lines, written, state } = open()
  state.full = true
  const line = 'x'.repeat(9_999)
  for (let n = 0; n < 200; n++) lines.push('stdout', `${line}\n`)
  lines.end()
  expect(written.length).toBe(1 + Math.floor(heldLimits.characters / line.length))
  expect(written[0]![1]).toContain('100 lines')
})

test('a line that is too long to be kept is counted, before what comes after it', () => {
  const { lines, written, state } = open()
  state.full = true
  lines.push('stdout', `${'x'.repeat(heldLimits.characters + 1)}\n`)
  state.full = false
  lines.push('stdout', 'after\n')
  lines.end()
  expect(written).toEqual([
    ['stderr', expect.stringMatching(/^\[1 lines of output dropped here/)],
    ['stdout', 'after'],
  ])
})
