import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { noQueue, readMode } from './arguments.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-arguments-')))
writeFileSync(join(folder, 'job.json'), '{"id":"mine","input":{"a":1}}')
writeFileSync(join(folder, 'broken.json'), '{\n  "input": {,}\n}')
const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'flash-arguments-')))
writeFileSync(join(elsewhere, 'test_input.json'), '\uFEFF{"input":{"b":2},"id":""}')
afterAll(() => {
  for (const one of [folder, elsewhere]) rmSync(one, { recursive: true, force: true })
})

const read = (args: string[], env: Record<string, string | undefined> = {}, from = folder) =>
  readMode({ args, env, folder: from })

for (const [what, args, from, job] of [
  [
    'JSON as the next argument',
    ['--test-input', '{"input":{"a":1}}'],
    folder,
    { id: 'test-input', input: { a: 1 } },
  ],
  ['JSON behind an equals sign', ['--test-input={"input":{"a":"="}}'], folder, { input: { a: '=' } }],
  ["Python's spelling", ['--test_input', ' {"input":{}}'], folder, { input: {} }],
  ['a file', ['--test-input', 'job.json'], folder, { id: 'mine', input: { a: 1 } }],
  ['a file behind an equals sign', [`--test-input=${join(folder, 'job.json')}`], elsewhere, { id: 'mine' }],
  ['no value', ['--test-input'], elsewhere, { id: 'test-input', input: { b: 2 } }],
  ['an empty value', ['--test-input='], elsewhere, { input: { b: 2 } }],
] as const) {
  test(`a job from ${what}`, () => expect(read([...args], {}, from)).toMatchObject({ kind: 'test', ...job }))
}

describe('what cannot be understood', () => {
  for (const [what, args, message] of [
    ['another flag', ['--serve'], 'the argument "--serve" is not known'],
    ['a word', ['run'], 'the argument "run" is not known'],
    ['more than one job', ['--test-input', '{"input":{}}', 'more'], 'the argument "more" is not known'],
    ['a flag where a value could be', ['--test-input', '--verbose'], 'the argument "--verbose" is not known'],
    [
      'bad JSON',
      ['--test-input', '{input}'],
      'the value of --test-input is not JSON: unexpected "i" at line 1, column 2',
    ],
    [
      'bad JSON in a file',
      ['--test-input=broken.json'],
      'broken.json is not JSON: unexpected "," at line 2, column 13',
    ],
    ['a file that is not there', ['--test-input', 'no.json'], `there is no file ${join(folder, 'no.json')}`],
    [
      'the usual file that is not there',
      ['--test-input'],
      `there is no file ${join(folder, 'test_input.json')}`,
    ],
    ['a folder', ['--test-input', '.'], '. cannot be read: EISDIR'],
    [
      'a job without input',
      ['--test-input', '{"a":1}'],
      'the value of --test-input is no job: it has no "input"',
    ],
    ['a list', ['--test-input', '[1]'], 'the value of --test-input is no job: it has no "input"'],
    ['a text', ['--test-input', '"text"'], 'the value of --test-input is no job: it has no "input"'],
  ] as const) {
    test(what, () =>
      expect(() => read([...args])).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', message })),
    )
  }

  test('a request that is none', () => {
    for (const request of [
      '{}',
      '{"path":"x"}',
      '{"path":"/","method":1}',
      '{"path":"/","headers":{"a":1}}',
      '[]',
    ])
      expect(() => read([`--test-input={"request":${request}}`])).toThrow(
        expect.objectContaining({
          code: 'BAD_REQUEST',
          message: expect.stringMatching(/has a "request" that is none/),
        }),
      )
  })
})

test('a request instead of a job', () => {
  const request = { method: 'post', path: '/a?b=1', headers: { a: 'b' }, body: { c: 1 } }
  expect(read(['--test-input', JSON.stringify({ request })])).toEqual({ kind: 'request', request })
})

test('nothing at all: requests, or else the ways are told', () => {
  expect(read([])).toEqual({ kind: 'requests' })
  expect(noQueue()).toMatchObject({
    code: 'NOT_AVAILABLE',
    message: expect.stringContaining(
      'RUNPOD_WEBHOOK_GET_JOB, RUNPOD_WEBHOOK_POST_OUTPUT, RUNPOD_WEBHOOK_POST_STREAM are not set',
    ),
    hint: expect.stringMatching(/--test-input '\{"input":\{…\}\}'.*test_input\.json.*vite preview/),
  })
})

test('a host is told by a variable, which is gone afterwards', () => {
  const env = { FLASH_WORKER_CHANNEL: '3', OTHER: 'x' }
  expect(read(['--whatever'], env)).toEqual({ kind: 'channel', descriptor: 3 })
  expect(env).toEqual({ OTHER: 'x' })
})

test('the platform is known by the variable with the address of its jobs; an argument says what else is wanted', () => {
  const env = { RUNPOD_WEBHOOK_GET_JOB: 'http://127.0.0.1/job-take/w' }
  expect(read([], env)).toEqual({ kind: 'queue' })
  expect(read(['--test-input', 'job.json'], env)).toMatchObject({ kind: 'test' })
  expect(read([], { RUNPOD_WEBHOOK_GET_JOB: ' ' })).toEqual({ kind: 'requests' })
})

test('a variable that names no pipe is refused', () => {
  for (const value of ['1', 'x', '33', '-3']) {
    expect(() => read([], { FLASH_WORKER_CHANNEL: value })).toThrow(
      expect.objectContaining({
        code: 'BAD_REQUEST',
        message: `FLASH_WORKER_CHANNEL is "${value}", and no number of an open pipe`,
      }),
    )
  }
})
