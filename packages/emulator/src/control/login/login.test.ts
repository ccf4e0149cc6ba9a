import { describe, expect, test } from 'vitest'
import { documents } from '../testing/documents.ts'
import { BASE, createWorld, type World } from '../testing/world.ts'

const open = { headers: { authorization: '' } }

/** A program that has no key asks for one. */
async function start(world: World) {
  const ask = async (query: string, variables?: object) => {
    const init = { method: 'POST', body: JSON.stringify({ query, variables }), ...open }
    const { status, body } = await world.send('/graphql', init)
    return { status, ...body } as { status: number; data?: any; errors?: { message: string }[] }
  }
  const { data } = await ask(documents.createAuthRequest)
  const { id, status, expiresAt } = data.createFlashAuthRequest
  const poll = async () =>
    (await ask(documents.authRequestStatus, { flashAuthRequestId: id })).data.flashAuthRequestStatus
  const page = async () => (await world.send(`/flash/login?request=${id}`, open)).body as string
  const token = async () => /name="token" value="([^"]+)"/.exec(await page())?.[1] ?? ''
  const decide = async (fields: Record<string, string>, headers: Record<string, string> = { origin: BASE }) =>
    world.send('/flash/login', {
      method: 'POST',
      body: new URLSearchParams({ request: id, token: await token(), ...fields }).toString(),
      headers: { authorization: '', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  return { id, status, expiresAt, poll, page, decide }
}

test('approved: the key comes once', async () => {
  const { id, status, expiresAt, poll, page, decide } = await start(await createWorld())
  expect([status, expiresAt]).toEqual(['PENDING', '2026-11-20T12:10:00.000Z'])
  expect(await poll()).toEqual({ id, status: 'PENDING', expiresAt, apiKey: null })
  expect(await page()).toContain('<button name="decision" value="approve">')
  const answer = await decide({ decision: 'approve' })
  expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('is approved')])
  expect(await page()).not.toContain('<form')
  expect(await poll()).toMatchObject({ status: 'APPROVED', apiKey: 'rpa_test' })
  expect(await poll()).toMatchObject({ status: 'CONSUMED', apiKey: null })
})

test('denied: nothing changes that', async () => {
  const { poll, decide } = await start(await createWorld())
  await decide({ decision: 'deny' })
  expect(await poll()).toMatchObject({ status: 'DENIED', apiKey: null })
  expect((await decide({ decision: 'approve' })).status).toBe(403)
  expect(await poll()).toMatchObject({ status: 'DENIED' })
})

test('expired: ten minutes later, answered or not', async () => {
  const world = await createWorld()
  const [waiting, answered] = [await start(world), await start(world)]
  await answered.decide({ decision: 'approve' })
  world.clock.advance(600_000)
  for (const { poll } of [waiting, answered])
    expect(await poll()).toMatchObject({ status: 'EXPIRED', apiKey: null })
  expect(await waiting.page()).toContain('has expired')
})

describe('a form that is not of the page decides nothing', () => {
  for (const [what, fields, headers, status] of [
    ['another site', {}, { origin: 'https://evil.example' }, 403],
    ['no origin', {}, {}, 403],
    ['an opaque origin', {}, { origin: 'null' }, 403],
    ['another site, as the browser says', {}, { origin: BASE, 'sec-fetch-site': 'cross-site' }, 403],
    ['another port', {}, { 'sec-fetch-site': 'same-site' }, 403],
    ['another token', { token: 'x' }, { origin: BASE }, 403],
    ['another request', { request: 'x' }, { origin: BASE }, 404],
    ['no decision', { decision: 'maybe' }, { origin: BASE }, 400],
    ['a form of megabytes', { more: 'x'.repeat(20_000) }, { origin: BASE }, 413],
  ] as const)
    test(what, async () => {
      const { poll, decide } = await start(await createWorld())
      const answer = await decide({ decision: 'approve', ...fields }, headers)
      expect(answer.status).toBe(status)
      expect(await poll()).toMatchObject({ status: 'PENDING', apiKey: null })
    })

  test('its own, as the browser says, does', async () => {
    const { poll, decide } = await start(await createWorld())
    expect((await decide({ decision: 'approve' }, { 'sec-fetch-site': 'same-origin' })).status).toBe(200)
    expect(await poll()).toMatchObject({ status: 'APPROVED' })
  })
})

test('the page cannot be framed, and nothing in it is taken from the address', async () => {
  const { send } = await createWorld()
  const { status, headers, body } = await send('/flash/login?request=<script>alert(1)</script>', open)
  expect(status).toBe(404)
  expect(body).not.toContain('<script>')
  expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  // With less, a browser would call the origin of the form `null`, and nobody could approve.
  expect(headers.get('referrer-policy')).toBe('same-origin')
  expect((await send('/flash/login', { method: 'PUT', ...open })).status).toBe(405)
})

test('the oldest of many requests is forgotten', async () => {
  const world = await createWorld()
  const first = await start(world)
  const many = Array.from({ length: 500 }, (_, index) => `a${index}: createFlashAuthRequest { id }`)
  await world.graphql(`mutation { ${many.join(' ')} }`)
  const known = await world.ask(documents.authRequestStatus, { flashAuthRequestId: first.id })
  expect(known.errors).toBeUndefined()
  await world.graphql(`mutation { ${many.join(' ')} }`)
  const answer = await world.ask(documents.authRequestStatus, { flashAuthRequestId: first.id })
  expect(answer.errors![0]!.message).toContain('not found')
})
