import { expect, test } from 'vitest'
import { PlainReply } from '../balanced/visit.ts'
import { toWebResponse, visitOf } from './visit.ts'

test('a request that somebody has made: one id, its headers, and its body in the pieces that are asked for', async () => {
  const stop = new AbortController()
  const headers = { 'x-one': '1' }
  const visit = visitOf(
    new Request('http://app.test/a%20b?c=d', { method: 'POST', headers, body: 'text', signal: stop.signal }),
  )
  expect(visit).toMatchObject({ method: 'POST', pathname: '/a%20b', search: '?c=d', target: '/a%20b?c=d' })
  expect([visit.header('x-one'), visit.header('x-two'), visit.hasBody]).toEqual(['1', undefined, true])
  expect(visit.id).toMatch(/^[\da-f-]{36}$/)
  expect(visit.id).toBe(visit.id)
  expect(new TextDecoder().decode(await visit.read())).toBe('text')
  expect(await visit.request().text()).toBe('text')
  expect(visit.isOver).toBe(false)
  stop.abort()
  expect(visit.isOver).toBe(true)
})

test('an answer that was made plainly becomes one of the web, and others stay', async () => {
  const own = new Response('own')
  expect(toWebResponse(own)).toBe(own)
  const made = toWebResponse(new PlainReply(201, { 'x-one': '1' }, 'plain'))
  expect([made.status, made.headers.get('x-one'), await made.text()]).toEqual([201, '1', 'plain'])
})
