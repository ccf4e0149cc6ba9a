import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createCapability } from './capability.ts'

const key = new Uint8Array(32).fill(7)
const claims = { endpoint: 'ocr', jobId: 'a-u1', subject: null, expires: 5, id: 'abc' }

test('a tag belongs to one id and one key', () => {
  const { tag, matches } = createCapability(key)
  expect(tag('abc')).toMatch(/^[a-z2-7]{16}$/)
  expect(tag('abc')).toBe(createCapability(key).tag('abc'))
  expect(tag('abc')).not.toBe(tag('abd'))
  expect(matches('abc', tag('abc'))).toBe(true)
  expect(matches('abd', tag('abc'))).toBe(false)
  expect(matches('abc', tag('abc').slice(1))).toBe(false)
  expect(createCapability(new Uint8Array(32)).matches('abc', tag('abc'))).toBe(false)
})

test('a sealed token opens to what was sealed, and hides it', () => {
  const { seal, open } = createCapability(key)
  const token = seal({ ...claims, subject: 'ann' })
  expect(open(token)).toEqual({ ...claims, subject: 'ann' })
  expect(open(seal({ ...claims, method: 'load' }))).toEqual({ ...claims, method: 'load' })
  expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('ocr')
  expect(seal(claims)).not.toBe(seal(claims))
})

test('a token that was altered, cut, invented or sealed with another key does not open', () => {
  const { seal, open } = createCapability(key)
  const token = seal(claims)
  const bytes = Buffer.from(token, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at]! ^= 1
    expect(open(altered.toString('base64url'))).toBeNull()
  }
  for (const bad of ['', 'x', token.slice(0, -4), randomBytes(60).toString('base64url'), 'é'.repeat(9000)])
    expect(open(bad)).toBeNull()
  expect(createCapability(randomBytes(32)).open(token)).toBeNull()
})
