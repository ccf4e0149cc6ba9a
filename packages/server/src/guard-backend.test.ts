import { FrameType } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { guardBackend } from './guard-backend.ts'
import { createErrorFilter } from './redact-error.ts'
import { balancedFacts } from './testing/balanced.ts'
import { createFakeBackend, facts, json } from './testing/production.ts'

function setUp() {
  const { backend } = createFakeBackend([json(FrameType.error, { name: 'Error', message: 'canary' })])
  const onError = vi.fn()
  const functions = new Map(facts.functions.map((fact) => [fact.id, fact]))
  const guard = (given: Partial<typeof backend> = {}) =>
    guardBackend(
      { ...backend, ...given },
      { functions, maxBodyBytes: 100, errors: createErrorFilter(onError) },
    )
  return { backend, guard, onError }
}

test('the smaller limit of a body counts, and functions of others are not there', async () => {
  const { guard } = setUp()
  expect(await guard().find('read')).toEqual({
    endpoint: 'ocr',
    kind: 'function',
    maxBodyBytes: 100,
  })
  expect(
    await guard({ find: async () => ({ endpoint: 'ocr', maxBodyBytes: 9 }) }).find('read'),
  ).toMatchObject({ maxBodyBytes: 9 })
  expect(await guard({ find: async () => null }).find('read')).toBeNull()
  expect(await guard().find('other')).toBeNull()
})

test('a route is found with those of its endpoint, whatever the backend says of it', async () => {
  const { backend } = createFakeBackend([])
  const find = async () => ({ endpoint: 'pictures', maxBodyBytes: 9, routes: [] })
  const functions = new Map(balancedFacts.map((fact) => [fact.id, fact]))
  const guarded = guardBackend(
    { ...backend, find },
    { functions, maxBodyBytes: 100, errors: createErrorFilter() },
  )
  const found = await guarded.find('list')
  expect(found!.routes!.map(({ path }) => path)).toEqual([
    '/resize/:width',
    '/pictures/**:path',
    '/pictures/new',
    '/live/:room',
  ])
  expect((await guarded.find('site'))!.routes).toBeUndefined()
})

test('a job is guarded however it was found, and keeps what finds it', async () => {
  const { backend, guard } = setUp()
  const found = async () => ({ ...(await backend.submit('read', { args: [] })), ref: 'job-1@here' })
  const guarded = guard({ submit: found, job: found, jobById: found })
  const jobs = [
    await guarded.submit('read', { args: [] }),
    await guarded.job('ocr', 'x'),
    await guarded.jobById('x'),
  ]
  for (const job of jobs) {
    const said: string[] = []
    job!.listen(0, ({ text }) => said.push(text))
    expect(JSON.parse(said[0]!).code).toBe('INTERNAL')
    expect(job).toMatchObject({ ref: 'job-1@here', endpoint: 'ocr' })
    expect(await job!.status()).toEqual({ status: 'IN_PROGRESS', delayTime: 3 })
  }
})

test('what is not found stays so', async () => {
  const { guard } = setUp()
  expect(await guard({ job: () => null }).job('ocr', 'x')).toBeNull()
  expect(await guard({ jobById: () => null }).jobById('x')).toBeNull()
})

test('what a caller breaks off by leaving is reported to nobody', async () => {
  const { guard, onError } = setUp()
  const leaving = new AbortController()
  const fail = async () => {
    leaving.abort()
    throw new Error('socket hang up')
  }
  const { signal } = leaving
  const request = { method: 'GET', path: '/', headers: new Headers(), body: null, signal }
  const guarded = guard({ fetch: fail, seat: fail })
  await expect(guarded.fetch('read', request)).rejects.toBe(signal.reason)
  await expect(guarded.seat!('read', signal)).rejects.toBe(signal.reason)
  expect(onError).not.toHaveBeenCalled()
})

test('failures of every member are hidden', async () => {
  const { backend, guard, onError } = setUp()
  const fail = () => Promise.reject(new Error('canary'))
  const job = { ...(await backend.submit('read', { args: [] })), status: fail, cancel: fail }
  const guarded = guard({ warm: fail, job: fail, jobById: fail, submit: async () => job })
  const submitted = await guarded.submit('read', { args: [] })
  for (const attempt of [
    () => guarded.warm('read', { args: [] }),
    () => guarded.job('ocr', 'x'),
    () => guarded.jobById('x'),
    () => submitted.status(),
    () => submitted.cancel('gone'),
  ]) {
    await expect(attempt()).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('canary'),
    })
  }
  expect(onError).toHaveBeenCalledTimes(5)
})
