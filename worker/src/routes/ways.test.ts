import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createEndpoint, type TestEndpoint } from './testing.ts'

/** Takes all, and changes nothing. */
const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }
const schemas = { params: anything, query: anything, body: anything, response: anything }

let endpoint: TestEndpoint
beforeAll(async () => void (endpoint = await createEndpoint()))
afterAll(() => endpoint.close())

interface Given {
  params: unknown
  query: unknown
  body: unknown
}

let made: unknown
beforeEach(() => {
  const echo = ({ params, query, body }: Given) => ({ params, query, body, made })
  const give = ({ body }: Given) => body
  const later = (handler: (given: Given) => unknown) => async (given: Given) => handler(given)
  const laterStill = (handler: (given: Given) => unknown) => (given: Given) => ({
    // oxlint-disable-next-line unicorn/no-thenable -- builders of queries give such
    then: (resolve: (value: unknown) => void) => setImmediate(() => resolve(handler(given))),
  })
  for (const [kind, handler] of Object.entries({ echo, give })) {
    endpoint.route('POST', `/plain/${kind}/:id`, handler)
    endpoint.route('POST', `/checked/${kind}/:id`, handler, schemas)
    endpoint.route('POST', `/later/${kind}/:id`, later(handler))
    endpoint.route('POST', `/thenable/${kind}/:id`, laterStill(handler), { query: anything })
  }
})

const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }))
const body = fc.oneof(
  fc.json().map((text) => ({ type: 'application/json', text })),
  fc.string().map((text) => ({ type: 'application/json; charset=utf-8', text })),
  fc.string({ unit: 'grapheme' }).map((text) => ({ type: 'text/plain', text })),
  fc.constant({ type: 'application/json', text: '' }),
  fc.constant({ type: 'application/octet-stream', text: 'bytes' }),
)
// oxlint-disable-next-line no-control-regex -- No path may have them.
const hostile = /[\0-\x1f\x7f\\%]|(?:^|\/)\.\.?(?:\/|$)/
const request = fc.record({
  kind: fc.constantFrom('echo', 'give'),
  id: text.filter((id) => !hostile.test(id)),
  query: fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__'), text), { maxLength: 4 }),
  body,
  made: fc.anything({ withDate: true, withMap: true, withBigInt: true, withTypedArray: true }),
})

test('every way through a route gives the same answer', async () => {
  const property = fc.asyncProperty(request, async ({ kind, id, query, body, made: given }) => {
    made = given
    const search = new URLSearchParams(query)
    const answers = ['plain', 'checked', 'later', 'thenable'].map(async (way) => {
      const init = { method: 'POST', body: body.text, headers: { 'content-type': body.type } }
      const url = `${endpoint.url}/${way}/${kind}/${encodeURIComponent(id)}?${search}`
      const answer = await fetch(url, init)
      const headers = Object.fromEntries(answer.headers)
      delete headers.date
      return [answer.status, headers, await answer.text()]
    })
    const [plain, ...others] = await Promise.all(answers)
    for (const other of others) expect(other).toEqual(plain)
  })
  await fc.assert(property, { numRuns: 150 })
})
