import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readHandlerMode } from './arguments.ts'

const folder = mkdtempSync(join(tmpdir(), 'flash-handler-'))
const empty = mkdtempSync(join(tmpdir(), 'flash-handler-'))
writeFileSync(join(folder, 'test_input.json'), '{"id":"mine","input":{"b":2}}')
afterAll(() => {
  for (const one of [folder, empty]) rmSync(one, { recursive: true, force: true })
})

const queue = { RUNPOD_WEBHOOK_GET_JOB: 'http://127.0.0.1/job-take/w' }

for (const [args, env, mode] of [
  [['--rp_serve_api'], queue, { kind: 'api', host: '127.0.0.1', port: 8000, concurrency: 1 }],
  [
    ['--rp-serve-api', '--rp_api_host', '0.0.0.0', '--rp-api-port=0', '--rp_api_concurrency', '4'],
    {},
    { kind: 'api', host: '0.0.0.0', port: 0, concurrency: 4 },
  ],
  [['--test_input', '{"input":{"a":1}}'], queue, { kind: 'test', job: { input: { a: 1 } } }],
  [['--test-input={"input":"x","id":"i"}'], {}, { kind: 'test', job: { input: 'x', id: 'i' } }],
  [['--test_input', '--rp_debugger'], {}, { kind: 'test', job: { id: 'mine', input: { b: 2 } } }],
  [[], {}, { kind: 'test', job: { id: 'mine', input: { b: 2 } } }],
  [['serve', '--mine', 'value', '-x'], queue, { kind: 'queue', logLevel: undefined }],
  [['--rp_log_level', 'ERROR', '--rp_debugger'], queue, { kind: 'queue', logLevel: 'ERROR' }],
] as const) {
  test(`${args.join(' ') || 'no argument'} is ${mode.kind}`, () => {
    expect(readHandlerMode({ args, env, folder })).toEqual(mode)
  })
}

for (const [args, from, message] of [
  [[], empty, /there is no file .*test_input\.json/],
  [['--test_input', '{"a":1}'], folder, /no "input"/],
  [['--test_input', '{"input":null}'], folder, /it is null/],
  [
    ['--rp_serve_api', '--rp_api_port', 'x'],
    folder,
    /--rp_api_port is "x", not a whole number from 0 to 65535/,
  ],
  [['--rp_serve_api', '--rp_api_port'], folder, /--rp_api_port is ""/],
  [['--rp_serve_api', '--rp_api_concurrency=0'], folder, /--rp_api_concurrency is "0"/],
] as const) {
  test(`${args.join(' ') || 'nothing'} is refused`, () => {
    expect(() => readHandlerMode({ args, env: {}, folder: from })).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringMatching(message) }),
    )
  })
}
