import { describe, expect, test } from 'vitest'
import { AppError, RemoteError } from '../error.ts'
import { decodeInline } from './decode.ts'
import { toWireError } from './encode.ts'
import { fromWireError, type WireError } from './error.ts'

/** Over the wire and back, as JSON carries it. */
function travel(thrown: unknown, stack = false): Error & Record<string, unknown> {
  const wire: WireError = JSON.parse(JSON.stringify(toWireError(thrown, { stack })))
  return fromWireError(wire, decodeInline) as Error & Record<string, unknown>
}

describe('standard errors come back as themselves', () => {
  test.each([Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError])(
    '%o',
    (Standard) => {
      const back = travel(new Standard('message'))
      expect(back.constructor).toBe(Standard)
      expect([back.name, back.message]).toEqual([Standard.name, 'message'])
    },
  )

  test('with code, data and hint of their own, and nothing that was not there', () => {
    const back = travel(
      Object.assign(new TypeError('x'), { code: 'E1', data: { a: 1 }, hint: 'do this', other: 1 }),
    )
    expect({ ...back }).toEqual({ code: 'E1', data: { a: 1 }, hint: 'do this' })
    expect(Object.keys(travel(new Error('x')))).toEqual([])
  })

  test('an AggregateError has its members', () => {
    const back = travel(new AggregateError([new TypeError('a'), 'b'], 'both')) as unknown as AggregateError
    expect(back).toBeInstanceOf(AggregateError)
    expect(back.errors.map((each) => each.name)).toEqual(['TypeError', 'RemoteError'])
  })

  test.each(['AbortError', 'TimeoutError'])('%s is a DOMException', (name) => {
    const back = travel(new DOMException('stopped', name))
    expect(back).toBeInstanceOf(DOMException)
    expect([back.name, back.message]).toEqual([name, 'stopped'])
  })

  test('other DOMExceptions keep their name', () => {
    const back = travel(new DOMException('gone', 'NotFoundError'))
    expect(back).toBeInstanceOf(RemoteError)
    expect([back.name, back.code]).toEqual(['NotFoundError', 'FUNCTION_FAILED'])
  })
})

describe('other errors come back as RemoteError', () => {
  test('with the name kept', () => {
    class PaperError extends Error {
      override name = 'PaperError'
      code = 7
    }
    const back = travel(new PaperError('jam'))
    expect(back).toBeInstanceOf(RemoteError)
    expect([back.name, back.message, back.code]).toEqual(['PaperError', 'jam', '7'])
  })

  test('one of the author, whole', () => {
    const back = travel(new RemoteError('NO_PAPER', 'out of paper', { data: { tray: 2 }, hint: 'refill' }))
    expect(back).toBeInstanceOf(RemoteError)
    expect(back).toMatchObject({
      name: 'RemoteError',
      code: 'NO_PAPER',
      message: 'out of paper',
      data: { tray: 2 },
      hint: 'refill',
    })
  })

  test('one of the product too, as the types of a call promise', () => {
    const back = travel(new AppError('BAD_INPUT', { message: 'no', hint: 'yes' }))
    expect(back).toBeInstanceOf(RemoteError)
    expect(back).toMatchObject({ name: 'RemoteError', code: 'BAD_INPUT', hint: 'yes' })
  })

  test('a name is never looked up', () => {
    for (const name of ['Function', 'constructor', '__proto__', 'Promise', 'toString']) {
      const back = fromWireError({ name, message: 'x' })
      expect(back).toBeInstanceOf(RemoteError)
      expect(back.name).toBe(name)
    }
  })
})

describe('what is no Error becomes one', () => {
  test.each<[unknown, string]>([
    ['no paper', 'a string was thrown instead of an Error: "no paper"'],
    [null, 'null was thrown instead of an Error'],
    [undefined, 'undefined was thrown instead of an Error'],
    [42, 'a number was thrown instead of an Error: 42'],
    [7n, 'a bigint was thrown instead of an Error: 7'],
    [true, 'a boolean was thrown instead of an Error: true'],
    [[1], 'an array was thrown instead of an Error'],
    [{ a: new Date(5) }, 'an object was thrown instead of an Error'],
  ])('%#', (thrown, message) => {
    const back = travel(thrown)
    expect(back).toBeInstanceOf(RemoteError)
    expect(back).toMatchObject({ message, code: 'FUNCTION_FAILED', data: thrown })
  })

  test('what cannot travel is left out', () => {
    expect(travel(() => {})).toMatchObject({
      message: 'a function was thrown instead of an Error',
      data: undefined,
    })
  })
})

describe('causes', () => {
  const chain = (length: number): Error =>
    new Error(String(length), length > 1 ? { cause: chain(length - 1) } : undefined)
  const depth = (error: unknown): number => (error instanceof Error ? 1 + depth(error.cause) : 0)

  test('travel to a depth of five, and a cycle ends', () => {
    expect(depth(travel(chain(3)))).toBe(3)
    expect(depth(travel(chain(9)))).toBe(5)
    const self = new Error('self')
    self.cause = self
    expect(depth(travel(self))).toBe(5)
  })

  test('that are no errors, too', () => {
    expect(travel(new Error('x', { cause: 'why' })).cause).toMatchObject({
      message: 'a string was thrown instead of an Error: "why"',
    })
  })

  test('of a DOMException', () => {
    const error = Object.defineProperty(new DOMException('x', 'AbortError'), 'cause', {
      value: new Error('why'),
    })
    expect(travel(error).cause).toMatchObject({ message: 'why' })
  })

  test('a hundred errors at most', () => {
    const members: Error[] = []
    const error = Object.assign(new AggregateError([], 'x'), { errors: members })
    members.push(...Array.from({ length: 20 }, () => error))
    const text = JSON.stringify(toWireError(error, { stack: false }))
    expect(text.split('"AggregateError"').length - 1).toBe(100)
  })
})

describe('data', () => {
  test('plain data is there without the codec', () => {
    const wire = toWireError(new RemoteError('X', 'x', { data: { a: 1 } }), { stack: false })
    expect(wire).toEqual({ name: 'RemoteError', message: 'x', code: 'X', data: { a: 1 } })
    expect(fromWireError(wire)).toMatchObject({ data: { a: 1 } })
  })

  test('rich data needs it, bytes included', () => {
    const data = { when: new Date(5), bytes: new Uint8Array([1, 2]) }
    const wire = toWireError(new RemoteError('X', 'x', { data }), { stack: false })
    expect(wire.data).toBeUndefined()
    expect(fromWireError(wire, decodeInline)).toMatchObject({ data })
    expect((fromWireError(wire) as RemoteError).data).toBeUndefined()
  })

  test('broken rich data does not hide the error', () => {
    expect(fromWireError({ name: 'Error', message: 'x', rich: '[[9]]' }, decodeInline)).toMatchObject({
      message: 'x',
    })
  })

  test.each([
    ['a function', { fn() {} }],
    ['a file, which has to be read', { file: new File(['x'], 'x') }],
  ])('%s is left out, and the hint says so', (_, data) => {
    const back = travel(new RemoteError('X', 'x', { data, hint: 'first' }))
    expect(back.data).toBeUndefined()
    expect(back.hint).toMatch(/^first; the `data` of this error was left out/)
  })
})

describe('stacks', () => {
  test('travel in development only', () => {
    const error = new Error('x')
    error.stack = 'Error: x\n    at src/read.ts:3:5'
    expect(travel(error, true).stack).toBe(error.stack)
    expect(travel(error, false).stack).not.toContain('read.ts')
    expect(Object.keys(travel(error, true))).toEqual([])
  })
})

describe('hostile things that are thrown', () => {
  test('a property that throws is left out', () => {
    const error = Object.defineProperties(new Error('x'), {
      message: {
        get: () => {
          throw new Error('no')
        },
      },
      code: {
        get: () => {
          throw new Error('no')
        },
      },
      name: { value: 5 },
    })
    expect(toWireError(error, { stack: false })).toEqual({ name: 'Error', message: '' })
  })

  test('a text without end is cut', () => {
    const wire = toWireError(new Error('x'.repeat(100_000)), { stack: false })
    expect(wire.message).toMatch(/x… \(34464 more characters\)$/)
  })

  test('an error of another realm is an error', async () => {
    const { runInNewContext } = await import('node:vm')
    expect(travel(runInNewContext('new RangeError("far")'))).toBeInstanceOf(RangeError)
  })
})

test('what is no wire error is an error all the same', () => {
  for (const wire of [null, 'x', 5]) {
    expect(fromWireError(wire as never)).toMatchObject({ code: 'INTERNAL' })
  }
  expect(fromWireError({ message: 5, cause: 'x', errors: [null] } as never)).toMatchObject({
    name: 'RemoteError',
    message: '',
  })
})
