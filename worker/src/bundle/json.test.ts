import { describe, expect, test } from 'vitest'
import { parseJson } from './json.ts'

test('JSON is parsed, also with the mark that some editors put before it', () => {
  const text = '{"input":{"a":[1,-2.5e-3,true,null,"x\\"\\u00e9"],"b":{}}}'
  expect(parseJson(text, 'it')).toEqual(JSON.parse(text))
  expect(parseJson(`\uFEFF${text}`, 'it')).toEqual(JSON.parse(text))
})

describe('what is no JSON is told with its place', () => {
  for (const [text, place] of [
    ['{"input": hello}', 'unexpected "h" at line 1, column 11'],
    ['{"input":{a:1}}', 'unexpected "a" at line 1, column 11'],
    ["{'input':1}", `unexpected "'" at line 1, column 2`],
    ['{"a":1,}', 'unexpected "}" at line 1, column 8'],
    ['{"a" 1}', 'unexpected "1" at line 1, column 6'],
    ['{"a":1 "b":2}', 'unexpected "\\"" at line 1, column 8'],
    ['{\n  "input": {\n    "a": 01\n  }\n}', 'unexpected "1" at line 3, column 11'],
    ['[1, 2', 'it ends at line 1, column 6'],
    ['{"input":{"a":1}', 'it ends at line 1, column 17'],
    ['{"a":"no end', 'unexpected "\\"" at line 1, column 6'],
    ['{"a":"bad \\x"}', 'unexpected "\\"" at line 1, column 6'],
    ['{"a":1}}', 'unexpected "}" at line 1, column 8'],
    ['{"a":1} 😀', 'unexpected "😀" at line 1, column 9'],
    ['[undefined]', 'unexpected "u" at line 1, column 2'],
    ['[ 1 , [ ] , { } , nul ]', 'unexpected "n" at line 1, column 19'],
    ['', 'it ends at line 1, column 1'],
    [' \n ', 'it ends at line 2, column 2'],
  ] as const) {
    test(JSON.stringify(text), () => {
      expect(() => JSON.parse(text)).toThrow()
      expect(() => parseJson(text, 'job.json')).toThrow(
        expect.objectContaining({ code: 'BAD_REQUEST', message: `job.json is not JSON: ${place}` }),
      )
    })
  }
})
