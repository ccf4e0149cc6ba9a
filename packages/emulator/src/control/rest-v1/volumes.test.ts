import { expect, test } from 'vitest'
import { createWorld } from '../testing/world.ts'

const input = { dataCenterId: 'EU-RO-1', name: 'my-vol', size: 100 }

test('a bare list, and four keys of a volume', async () => {
  const { rest } = await createWorld()
  expect((await rest('GET', '/v1/networkvolumes')).body).toEqual([])
  const made = await rest('POST', '/v1/networkvolumes', input)
  expect([made.status, made.body]).toEqual([200, { id: made.body.id, ...input }])
  expect((await rest('GET', '/v1/networkvolumes')).body).toEqual([made.body])
  const path = `/v1/networkvolumes/${made.body.id}`
  expect((await rest('PATCH', path, { size: 200 })).body.size).toBe(200)
  expect((await rest('POST', `${path}/update`, { name: 'b' })).body.name).toBe('b')
  expect((await rest('GET', path)).body).toEqual({ ...made.body, size: 200, name: 'b' })
  expect((await rest('DELETE', path)).status).toBe(204)
  const gone = await rest('GET', path)
  expect([gone.status, gone.body]).toEqual([404, { message: expect.stringContaining('not found') }])
})

for (const [what, body] of [
  ['no object', 1],
  ['null', null],
  ['a field is missing', { name: 'a', size: 10 }],
  ['a size that is none', { ...input, size: '10' }],
  ['a size that is too large', { ...input, size: 5_000 }],
  ['a part of a GB', { ...input, size: 1.5 }],
  ['an empty name', { ...input, name: ' ' }],
  ['a name that is none', { ...input, name: 1 }],
  ['a place that is none', { ...input, dataCenterId: [] }],
  ['an empty place', { ...input, dataCenterId: '' }],
] as const)
  test(`refused: ${what}`, async () => {
    const { rest } = await createWorld()
    const { status, body: answer } = await rest('POST', '/v1/networkvolumes', body)
    expect([status, typeof answer.message]).toEqual([400, 'string'])
    expect((await rest('GET', '/v1/networkvolumes')).body).toEqual([])
  })

test('wrong methods and keys', async () => {
  const { rest, send } = await createWorld()
  expect((await rest('PUT', '/v1/networkvolumes')).headers.get('allow')).toBe('GET, POST')
  expect((await rest('PUT', '/v1/networkvolumes/a')).headers.get('allow')).toBe('GET, PATCH, DELETE')
  expect((await rest('GET', '/v1/networkvolumes/a/update')).headers.get('allow')).toBe('POST')
  const { status, body } = await send('/v1/networkvolumes', { headers: { authorization: 'no' } })
  expect([status, body]).toEqual([401, { message: 'Unauthorized' }])
})
