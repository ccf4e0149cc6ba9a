import { expect, test } from 'vitest'
import { codeFrame } from './frame.ts'

const at = (code: string, text: string, around?: number) => {
  const start = code.indexOf(text)
  return codeFrame(code, start, start + text.length, around)
}

test('shows the lines around, numbered', () => {
  const code = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n')
  expect(at(code, 'line 10')).toBe(
    [
      '   8 | line 8',
      '   9 | line 9',
      '> 10 | line 10',
      '     | ^^^^^^^',
      '  11 | line 11',
      '  12 | line 12',
    ].join('\n'),
  )
})

test('marks one character when no end is given', () => {
  expect(codeFrame('abc', 1)).toBe('> 1 | abc\n    |  ^')
})

test('keeps tabs in the line of the marker', () => {
  expect(at('\tif\tX', 'X')).toBe('> 1 | \tif\tX\n    | \t  \t^')
})

test('does not mark past the end of the line', () => {
  expect(codeFrame('ab\ncd', 1, 5, 0)).toBe('> 1 | ab\n    |  ^')
})

test('counts a byte order mark and CRLF as nothing', () => {
  expect(at('\uFEFFX\r\nb', 'X')).toBe('> 1 |  X\n    |  ^\n  2 | b')
})

test('clips endless lines', () => {
  const frame = codeFrame(`${'x'.repeat(500)}Y`, 500)
  expect(Math.max(...frame.split('\n').map(({ length }) => length))).toBeLessThan(180)
})
