import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkValue } from './schema.ts'

test('without a schema a value is what it is', async () => {
  const value = { a: 1 }
  expect(await checkValue(undefined, value, 'input')).toBe(value)
})

for (const [what, schema, value, message] of [
  ['a field', z.object({ size: z.number() }), { size: 'x' }, /^size: /],
  [
    'a field of an item',
    z.object({ users: z.array(z.object({ name: z.string() })) }),
    { users: [{}] },
    /^users\[0\]\.name: /,
  ],
  ['an item of the value itself', z.array(z.number()), ['x'], /^\[0\]: /],
  ['the value itself', z.string(), 7, /^output: /],
] as const)
  test(`the message names ${what}`, async () => {
    await expect(checkValue(schema, value, 'output')).rejects.toMatchObject({
      code: 'OUTPUT_INVALID',
      message: expect.stringMatching(message),
      data: { issues: [{ path: expect.any(String), message: expect.any(String) }] },
    })
  })

test('of many issues ten are told, and all are in the data', async () => {
  const work = checkValue(z.array(z.number()), Array(12).fill('x'), 'input')
  const error = await work.catch(
    (error: unknown) => error as { message: string; data: { issues: unknown[] } },
  )
  expect(error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(/; and 2 more$/) })
  expect((error as { data: { issues: unknown[] } }).data.issues).toHaveLength(12)
})
