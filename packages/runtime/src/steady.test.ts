import { expect, test, vi } from 'vitest'
import { createSteady } from './steady.ts'
import {
  address,
  createEagerClock,
  json,
  networkError,
  page,
  type Reply,
  scriptHost,
} from './send/testing/scripted-host.ts'

const job = { input: { 'flash:call': { v: 1 as const } } }
const refused = networkError('ECONNREFUSED')
const accepted = json({ id: 'j1', status: 'IN_QUEUE' })

function setUp(replies: Reply[], env: Record<string, string> = {}) {
  const host = scriptHost(...replies)
  const clock = createEagerClock()
  const metrics: string[] = []
  const warn = vi.fn()
  const steady = createSteady({
    env,
    warn,
    fetch: host.fetch,
    clock,
    random: () => 0.5,
    emit: (name, _, { outcome, to }) => void metrics.push([name, outcome ?? to].filter(Boolean).join(' ')),
  })
  return { host, clock, metrics, warn, steady, client: steady.client(address) }
}

test('a job that nobody received is sent again, and measured: two requests, one retry, one latency', async () => {
  // The client itself tries a connection twice before it gives up.
  const { client, metrics, host } = setUp([refused, refused, accepted])
  expect(await client.submit(job)).toEqual({ id: 'j1', status: 'IN_QUEUE' })
  expect(host.paths()).toEqual(['/run', '/run', '/run'])
  expect(metrics).toEqual([
    'endpoint_requests TRANSPORT',
    'retry_attempt',
    'endpoint_requests ok',
    'retry_success',
    'endpoint_latency',
  ])
})

test('after three tries the error has them all', async () => {
  const { client, metrics } = setUp([refused])
  await expect(client.submit(job)).rejects.toMatchObject({
    code: 'RETRIES_EXHAUSTED',
    data: { attempts: [{ code: 'TRANSPORT' }, { code: 'TRANSPORT' }, { code: 'TRANSPORT' }] },
  })
  expect(metrics.at(-1)).toBe('retry_exhausted')
})

test('a job that may have been received is not', async () => {
  const { client, host } = setUp([page('bad gateway', 502)])
  await expect(client.submit(job)).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
  expect(host.requests).toHaveLength(1)
})

test('nor is one whose time is over by then', async () => {
  const { client, clock, host } = setUp([refused])
  const late = { input: { 'flash:call': { v: 1 as const, deadline: clock.now() + 300 } } }
  await expect(client.submit(late)).rejects.toMatchObject({ code: 'TRANSPORT' })
  expect(host.requests).toHaveLength(2)
})

test('FLASH_RETRY_ENABLED=0: one try', async () => {
  const { client } = setUp([refused], { FLASH_RETRY_ENABLED: '0' })
  await expect(client.submit(job)).rejects.toMatchObject({ code: 'TRANSPORT' })
})

test('an address that fails five times in a row is spared', async () => {
  const { client, steady, host, metrics } = setUp([page('bad gateway', 502)])
  for (let time = 0; time < 5; time++)
    await expect(client.submit(job)).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
  await expect(client.submit(job)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
  expect(host.requests).toHaveLength(5)
  expect(metrics).toContain('circuit_breaker_state_changed open')
  const other = { ...address, url: 'https://api.test/v2/def' }
  expect([1, 2, 3].map(() => steady.choose([address, other]).url)).toEqual(
    Array.from({ length: 3 }, () => other.url),
  )
  // By the look-up several endpoints share one URL, and each has its own breaker.
  const sharing = steady.client({ ...address, headers: { 'X-Flash-Endpoint': 'other' } })
  await expect(sharing.submit(job)).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
})

test('FLASH_CIRCUIT_BREAKER_ENABLED=0: none is', async () => {
  const { client } = setUp([page('bad gateway', 502)], { FLASH_CIRCUIT_BREAKER_ENABLED: '0' })
  for (let time = 0; time < 7; time++)
    await expect(client.submit(job)).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
})

test('what the caller did wrong, and functions that throw, are no trouble of the address', async () => {
  const { client } = setUp([json({ error: 'bad input' }, 400)])
  for (let time = 0; time < 10; time++)
    await expect(client.submit(job)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  const failing = setUp([json({ id: 'j1', status: 'FAILED', error: 'thrown' })])
  for (let time = 0; time < 10; time++)
    expect((await failing.client.follow('j1').next()).status).toMatchObject({ status: 'FAILED' })
  expect(await failing.client.submit(job)).toMatchObject({ status: 'FAILED' })
})

test('an address at which a job cannot be followed any more is in trouble', async () => {
  const { client } = setUp([networkError('ECONNRESET')])
  for (let time = 0; time < 5; time++)
    await expect(client.follow('j1').next()).rejects.toMatchObject({ code: 'TRANSPORT' })
  await expect(client.submit(job)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
})

test('breakers of addresses that were called long ago are forgotten', async () => {
  const { steady, client } = setUp([page('bad gateway', 502)])
  for (let time = 0; time < 5; time++) await client.submit(job).catch(() => {})
  for (let number = 0; number < 1_000; number++)
    steady.client({ ...address, url: `https://api.test/v2/${number}` })
  await expect(steady.client(address).submit(job)).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
})

test('a setting that cannot be used is said once', () => {
  const { warn, steady } = setUp([accepted], { FLASH_LB_STRATEGY: 'fastest' })
  steady.client(address)
  steady.client(address)
  expect(warn).toHaveBeenCalledTimes(1)
})
