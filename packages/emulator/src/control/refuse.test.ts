import { expect, test } from 'vitest'
import { invalid, notFound, refused } from './refuse.ts'

test('an id that is not there is named, a long one by its beginning', () => {
  expect(notFound('endpoint', 'abc')).toMatchObject({
    code: 'NOT_FOUND',
    message: 'endpoint not found: abc',
    data: { id: 'abc' },
  })
  expect(notFound('endpoint', 'x'.repeat(200)).message).toBe(`endpoint not found: ${'x'.repeat(80)}…`)
})

test('one field is named in the message, several are counted and named', () => {
  expect(invalid(['name: is empty']).message).toBe('name: is empty')
  expect(invalid(['name: is empty', 'workersMax: is 0'])).toMatchObject({
    code: 'BAD_INPUT',
    message: '2 fields are not valid: name: is empty; workersMax: is 0',
    data: { issues: ['name: is empty', 'workersMax: is 0'] },
  })
})

test('a refusal says what to do where there is something', () => {
  expect(refused('the volume is in use')).toMatchObject({ code: 'BAD_REQUEST', hint: undefined })
  expect(refused('the volume is in use', 'delete the endpoint first').hint).toBe('delete the endpoint first')
})
