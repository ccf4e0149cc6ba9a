import { AppError, createTestClock } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { createRegistry, type RegistryOptions } from './registry.ts'

const base = 'https://api.runpod.ai/v2'
const variable = { name: 'CALLS_KEY', missing: () => new AppError('CALLS_NEED_KEY', { message: 'no key' }) }

function open(env: Record<string, string>, options: Partial<RegistryOptions<string>> = {}) {
  return createRegistry<string>({ app: 'shop', env, clock: createTestClock(), random: () => 0.5, ...options })
}

test('the variable comes first, then what is near, then the account', async () => {
  const findNear = vi.fn(() => 'here')
  const env = { FLASH_ENDPOINT_OCR: 'abc', RUNPOD_API_KEY: 'key' }
  const { FLASH_ENDPOINT_OCR: _, ...rest } = env
  expect(await open(env, { findNear }).find('ocr', 'id')).toMatchObject({ queues: [{ url: `${base}/abc` }] })
  expect(await open(rest, { findNear }).find('ocr', 'id')).toEqual({ kind: 'near', near: 'here' })
  expect(findNear).toHaveBeenCalledExactlyOnceWith('ocr', 'id')
  expect(await open(rest).find('ocr', 'id')).toMatchObject({ queues: [{ url: `${base}/flash` }] })
})

test('several addresses are for endpoints without a queue', async () => {
  const registry = open({ FLASH_ENDPOINT_OCR: 'abc, https://x.test/ocr', RUNPOD_API_KEY: 'key' })
  await expect(registry.find('ocr', 'id')).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
  expect(await registry.findBalanced('ocr', 'id')).toMatchObject({
    kind: 'balanced',
    addresses: [
      { url: 'https://abc.api.runpod.ai', key: 'key' },
      { url: 'https://x.test/ocr', key: undefined },
    ],
  })
})

test('what takes HTTP requests has a host of its own, by the look-up and by the list', async () => {
  const listed = { endpoint: 'ocr', url: `${base}/listed`, place: 'the list' }
  const registry = open({ RUNPOD_API_KEY: 'key' }, { findListed: async () => listed })
  const first = await registry.findBalanced('ocr', 'id')
  if (first.kind !== 'balanced') throw new Error('not balanced')
  expect(first.addresses).toMatchObject([
    { url: 'https://flash.api.runpod.ai', headers: { 'X-Flash-Endpoint': 'ocr' } },
  ])
  expect(await first.otherwise!()).toEqual({ ...listed, url: 'https://listed.api.runpod.ai' })
  expect(await registry.findBalanced('ocr', 'id')).toMatchObject({
    addresses: [{ url: 'https://listed.api.runpod.ai' }],
    otherwise: undefined,
  })
})

test('on this machine it has a path, another URL of the list stays, and what is near comes first', async () => {
  const env = { RUNPOD_API_KEY: 'key', RUNPOD_ENDPOINT_BASE_URL: 'http://127.0.0.1:8080/v2' }
  const listed = { endpoint: 'ocr', url: 'https://x.test/deep/path', place: 'the list' }
  const registry = open(env, { findListed: async () => listed })
  const first = await registry.findBalanced('ocr', 'id')
  if (first.kind !== 'balanced') throw new Error('not balanced')
  expect(first.addresses[0]!.url).toBe('http://127.0.0.1:8080/lb/flash')
  expect(await first.otherwise!()).toEqual(listed)
  const unknown = open(env, { findListed: async () => null })
  const found = await unknown.findBalanced('ocr', 'id')
  expect(found.kind === 'balanced' && (await found.otherwise!())).toBeNull()
  expect(await open(env, { findNear: () => 'here' }).findBalanced('ocr', 'id')).toEqual({
    kind: 'near',
    near: 'here',
  })
})

test('with a key of its own it neither takes nor asks for the key of the account', async () => {
  const key = variable
  const account = { RUNPOD_API_KEY: 'account' }
  await expect(open(account, { key }).find('ocr', 'id')).rejects.toMatchObject({ code: 'CALLS_NEED_KEY' })
  const named = { ...account, FLASH_ENDPOINT_OCR: 'abc' }
  await expect(open(named, { key }).find('ocr', 'id')).rejects.toMatchObject({ code: 'CALLS_NEED_KEY' })
  for (const env of [account, named])
    expect(await open({ ...env, CALLS_KEY: 'own' }, { key }).find('ocr', 'id')).toMatchObject({
      queues: [{ key: 'own', keyName: 'CALLS_KEY' }],
    })
})

test('what a list of the account settled is called there from then on', async () => {
  const listed = { endpoint: 'ocr', url: `${base}/listed`, place: 'the list' }
  const findListed = vi.fn(async () => listed)
  const registry = open({ RUNPOD_API_KEY: 'key' }, { findListed })
  const first = await registry.find('ocr', 'id')
  if (first.kind !== 'queue') throw new Error('no queue')
  expect(first.queues[0]!.url).toBe(`${base}/flash`)
  expect(await first.otherwise!()).toEqual(listed)
  expect(await registry.find('ocr', 'id')).toEqual({ kind: 'queue', queues: [listed], otherwise: undefined })
  expect(findListed).toHaveBeenCalledTimes(1)
})
