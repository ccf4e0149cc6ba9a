import { describe, expect, it } from 'vitest'
import { isWebAddress, parseCall, parseResume, type RpcCaller } from './envelope.ts'

const page: RpcCaller = { kind: 'page', subject: null }
const server: RpcCaller = { kind: 'server', subject: null }

const refusal = (code: string, message: string) => expect.objectContaining({ code, message })

describe('parseCall', () => {
  it('takes every option of a server', () => {
    const call = {
      args: [1],
      new: ['a'],
      fn: 'scan',
      run: true,
      warm: false,
      timeoutMs: 1,
      idempotencyKey: 'k',
      executionTimeoutMs: 5_000,
      ttlMs: 604_800_000,
      lowPriority: true,
      webhook: 'HTTPS://hooks.test/done',
      s3Config: { bucket: 'b' },
    }
    expect(parseCall(call, server)).toEqual(call)
  })

  it.each([
    ['args', {}, 'a list'],
    ['new', 'x', 'a list'],
    ['fn', 1, 'text of at most 4096 characters'],
    ['idempotencyKey', 'k'.repeat(4097), 'text of at most 4096 characters'],
    ['run', 1, 'true or false'],
    ['timeoutMs', 0, 'milliseconds above 0'],
    ['timeoutMs', '5', 'milliseconds above 0'],
    ['timeoutMs', 2 ** 31, 'milliseconds above 0'],
    ['executionTimeoutMs', 4_999, 'milliseconds from 5000 to 604800000'],
    ['executionTimeoutMs', '5000', 'milliseconds from 5000 to 604800000'],
    ['ttlMs', 604_800_001, 'milliseconds from 10000 to 604800000'],
    ['webhook', 'ftp://hooks.test', 'a URL with http or https'],
    ['webhook', 'https://', 'a URL with http or https'],
    ['webhook', 7, 'a URL with http or https'],
    ['s3Config', null, 'an object'],
    ['s3Config', 'bucket', 'an object'],
  ])('says what %s must be instead of %j', (name, value, wanted) => {
    expect(() => parseCall({ args: [], [name]: value }, server)).toThrow(
      refusal('BAD_REQUEST', `the field "${name}" of the call must be ${wanted}`),
    )
  })

  it.each(['warm', 'executionTimeoutMs', 'ttlMs', 'lowPriority', 'webhook', 's3Config'])(
    'keeps %s to servers',
    (name) => {
      expect(() => parseCall({ args: [], [name]: 1 }, page)).toThrow(
        refusal('OPTION_SERVER_ONLY', `"${name}" is not available to pages`),
      )
    },
  )

  it.each(['toString', '__proto__', 'other'])('knows no field %s', (name) => {
    const call = Object.fromEntries([
      ['args', []],
      [name, 1],
    ])
    expect(() => parseCall(call, page)).toThrow(
      refusal('BAD_REQUEST', `the call has an unknown field "${name}"`),
    )
  })

  it.each([[null], ['text'], [[]]])('is no call: %j', (value) => {
    expect(() => parseCall(value, page)).toThrow(refusal('BAD_REQUEST', 'the message is not an object'))
  })

  it('wants arguments', () => {
    expect(() => parseCall({}, page)).toThrow(refusal('BAD_REQUEST', 'the call has no field "args"'))
  })
})

describe('parseResume', () => {
  it('reads from the start unless told otherwise', () => {
    expect(parseResume({ token: 't' })).toEqual({ token: 't', from: 0, only: undefined })
    expect(parseResume({ token: 't', from: 3, only: 'status' })).toEqual({
      token: 't',
      from: 3,
      only: 'status',
    })
  })

  it.each([
    [{ token: 1 }, 'the field "token" must be text'],
    [{ token: 't', from: -1 }, 'the field "from" must be a count'],
    [{ token: 't', from: 0.5 }, 'the field "from" must be a count'],
    [{ token: 't', only: 'items' }, 'the field "only" must be "status"'],
  ])('refuses %j', (value, message) => {
    expect(() => parseResume(value)).toThrow(refusal('BAD_REQUEST', message))
  })
})

it.each([
  ['http://a.test', true],
  ['https://a.test/x?y', true],
  ['javascript:alert(1)', false],
  ['//a.test', false],
  ['', false],
])('isWebAddress(%j) is %s', (text, expected) => {
  expect(isWebAddress(text)).toBe(expected)
})
