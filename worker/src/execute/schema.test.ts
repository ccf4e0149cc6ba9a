import * as v from 'valibot'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkInput, checkOutput, checkPart } from './schema.ts'

const standard = (validate: unknown) => ({ '~standard': { version: 1, vendor: 'test', validate } })

for (const [what, schema] of [
  ['zod', z.object({ user: z.object({ names: z.array(z.string()) }), n: z.coerce.number() })],
  [
    'valibot',
    v.object({ user: v.object({ names: v.array(v.string()) }), n: v.pipe(v.string(), v.transform(Number)) }),
  ],
] as const) {
  test(`${what}: the function gets the schema's output`, async () => {
    expect(await checkInput(schema, { user: { names: [] }, n: '5', more: 1 })).toEqual({
      user: { names: [] },
      n: 5,
    })
  })

  test(`${what}: a refusal names the field and the reason`, async () => {
    const refused = checkInput(schema, { user: { names: ['a', 7] }, n: '5' })
    await expect(refused).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/^user\.names\[1\]: /),
      data: { issues: [{ path: 'user.names[1]', message: expect.any(String) }] },
    })
  })
}

test("a result that does not fit is the function's fault", async () => {
  await expect(checkOutput(z.string(), 5)).rejects.toMatchObject({
    code: 'OUTPUT_INVALID',
    message: expect.stringMatching(/^output: /),
  })
  expect(await checkOutput(z.string(), 'fine')).toBe('fine')
})

test('an asynchronous schema is awaited', async () => {
  expect(
    await checkInput(
      standard(async (value: unknown) => ({ value: [value] })),
      1,
    ),
  ).toEqual([1])
})

test('many issues are told in part, and counted', async () => {
  const issues = Array.from({ length: 12 }, (_, n) => ({
    message: 'bad',
    path: [{ key: 'list' }, n, Symbol('s')],
  }))
  const refused = checkInput(
    standard(() => ({ issues })),
    1,
  )
  await expect(refused).rejects.toMatchObject({
    message: expect.stringMatching(/^list\[0\]\.Symbol\(s\): bad; .*; and 2 more$/),
  })
  await expect(refused).rejects.toMatchObject({ data: { issues: { length: 12 } } })
})

for (const [what, schema] of [
  ['text', 'string'],
  ['null', null],
  ['an object', {}],
  ['a function', () => {}],
] as const) {
  test(`${what} is no schema`, () => {
    expect(() => checkInput(schema, 1)).toThrow(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('input is not a Standard Schema'),
      }),
    )
  })
}

test('a path may be an array of a class of its own, as in arktype', async () => {
  class Path extends Array<string | number> {
    constructor(...items: (string | number)[]) {
      super()
      this.push(...items)
    }
  }
  for (const [path, field] of [
    [new Path(), 'body'],
    [new Path('a', 'b'), 'body.a.b'],
  ] as const) {
    const schema = standard(() => ({ issues: [{ message: 'bad', path }] }))
    await expect(checkPart(schema, 1, 'body')).rejects.toMatchObject({ data: { field } })
  }
})

test('a schema that is a function works', async () => {
  expect(
    await checkInput(
      Object.assign(
        () => {},
        standard((value: unknown) => ({ value })),
      ),
      1,
    ),
  ).toBe(1)
})
