import { describe, expect, test } from 'vitest'
import { explain, findProblem, toSize } from '../src/problems.ts'

const file = (type: string, size = 1, name = 'a.png') => new File([new Uint8Array(size)], name, { type })

describe('a file that is chosen', () => {
  for (const [what, picture, title] of [
    ['a JPEG', file('image/jpeg'), undefined],
    ['an AVIF', file('image/avif'), undefined],
    ['a picture at the limit', file('image/png', 7_000_000), undefined],
    ['a picture above the limit', file('image/png', 7_000_001), 'This picture is too large'],
    ['a PDF', file('application/pdf'), 'That is not a picture'],
    ['a drawing', file('image/svg+xml'), 'That is not a picture'],
    ['a file of no known kind', file(''), 'That is not a picture'],
  ] as const)
    test(`${what}: ${title ?? 'sent'}`, () => expect(findProblem(picture)?.title).toBe(title))
})

describe('what a call rejected with', () => {
  const toError = (code: string, more = {}) => Object.assign(new Error('it broke'), { code, ...more })

  for (const [what, error, title, text, again] of [
    ['no picture', toError('NOT_A_PICTURE'), 'That is not a picture', /“a\.png”/, false],
    ['no server', new TypeError('Failed to fetch'), 'The server does not answer', /npm start/, true],
    ['a transport that failed', toError('TRANSPORT'), 'The server does not answer', /npm start/, true],
    ['a stream that was lost', toError('STREAM_LOST'), 'The server does not answer', /npm start/, true],
    [
      'a hint',
      toError('X', { hint: 'mend it' }),
      'The picture could not be read',
      /^it broke – mend it$/,
      true,
    ],
    ['a bare error', new Error('it broke'), 'The picture could not be read', /^it broke$/, true],
    ['a thrown text', 'it broke', 'The picture could not be read', /^it broke$/, true],
  ] as const)
    test(what, () => {
      const problem = explain(error, file('image/png'))
      expect(problem).toMatchObject({ title, again })
      expect(problem.text).toMatch(text)
    })
})

for (const [bytes, size] of [
  [0, '0 kB'],
  [1, '1 kB'],
  [125_000, '125 kB'],
  [1_000_000, '1.0 MB'],
  [7_000_001, '7.0 MB'],
] as const)
  test(`${bytes} bytes are ${size}`, () => expect(toSize(bytes)).toBe(size))
