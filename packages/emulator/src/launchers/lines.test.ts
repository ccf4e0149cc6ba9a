import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLines, splitLines } from './lines.ts'

function split(pieces: Uint8Array[]): string[] {
  const lines: string[] = []
  const splitter = splitLines((text) => lines.push(text))
  for (const piece of pieces) splitter.write(piece)
  splitter.end()
  return lines
}

test('lines are the same however the bytes are cut', () => {
  const text = fc.array(fc.constantFrom('a', 'ä', '🙂', '\n', ' ')).map((all) => all.join(''))
  fc.assert(
    fc.property(text, fc.array(fc.nat(40)), (text, cuts) => {
      const bytes = Buffer.from(text)
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
      expect(split(pieces)).toEqual(
        text.endsWith('\n') || text === '' ? text.split('\n').slice(0, -1) : text.split('\n'),
      )
    }),
  )
})

test('an end of line as Windows writes it is one', () => {
  expect(split([Buffer.from('a\r\nb\r'), Buffer.from('\nc')])).toEqual(['a', 'b', 'c'])
})

test('a line keeps its beginning and says how much more there was', () => {
  const [long, next] = split(
    ['x'.repeat(10_000), 'y'.repeat(10_000), '\nnext'].map((text) => Buffer.from(text)),
  )
  expect(long).toBe(`${'x'.repeat(10_000)}${'y'.repeat(6_384)} … (3616 more characters)`)
  expect(next).toBe('next')
})

test('two streams do not cut the lines of each other', () => {
  const lines = createLines()
  const heard: string[] = []
  lines.onLine(({ source, text }) => heard.push(`${source}: ${text}`))
  const [one, other] = [lines.stream(), lines.stream()]
  one.write(Buffer.from('first ha'))
  other.write(Buffer.from('second\n'))
  lines.system('third')
  one.write(Buffer.from('lf\n'))
  expect(heard).toEqual(['container: second', 'system: third', 'container: first half'])
})

test('who listens a moment later hears the first thousand lines', () => {
  const lines = createLines()
  for (let at = 0; at < 1_200; at++) lines.system(String(at))
  const heard: string[] = []
  lines.onLine(({ text }) => heard.push(text))
  expect([heard.length, heard[0], heard.at(-1)]).toEqual([1_000, '0', '999'])
  lines.system('later')
  expect(heard.at(-1)).toBe('later')
})
