import { describe, expect, test } from 'vitest'
import { AppError } from './error.ts'
import type { ParamFact } from './facts.ts'
import {
  type CallHeader,
  type InputShape,
  readInput,
  inputShape,
  type WrittenInput,
  writeConstruct,
  writeInput,
} from './input.ts'

/** `text n? {} ...files` as parameters. */
function params(list: string): ParamFact[] {
  return list
    .split(' ')
    .filter(Boolean)
    .map((word) => {
      const optional = word.endsWith('?')
      const name = word.replace('?', '')
      if (name === '{}') return { name, kind: 'pattern', optional }
      return name.startsWith('...')
        ? { name: name.slice(3), kind: 'rest', optional: true }
        : { name, kind: 'plain', optional }
    })
}

const shape = (list: string | null, takesObject = false): InputShape => ({
  kind: 'function',
  callables: [{ name: 'default', params: list === null ? null : params(list) }],
  takesObject,
})

const model: InputShape = {
  kind: 'class',
  callables: [
    { name: 'load', params: params('path') },
    { name: 'tokens', params: params('text n?') },
    { name: 'any', params: null },
  ],
  takesObject: false,
}

const write = (of: InputShape, args: unknown[], call = {}) => writeInput(of, args, call) as WrittenInput

/** What the queue does to an input. */
const travel = <T>(value: T): T => JSON.parse(JSON.stringify(value))

function refusal(run: () => unknown): AppError {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return error as AppError
  }
  throw new Error('it was accepted')
}

describe('what a stub writes', () => {
  const header = { v: 1 }
  test.each<[string, InputShape, unknown[], Record<string, unknown>]>([
    ['names', shape('text n?'), ['a', 2], { text: 'a', n: 2 }],
    ['a default left out', shape('text n?'), ['a'], { text: 'a' }],
    ['null', shape('text'), [null], { text: null }],
    ['no arguments', shape(''), [], {}],
    ['the object itself', shape('{}'), [{ prompt: 'x', steps: 3 }], { prompt: 'x', steps: 3 }],
    ['the object itself, by config', shape('options', true), [{ prompt: 'x' }], { prompt: 'x' }],
    ['the object itself, names not knowable', shape(null, true), [{ prompt: 'x' }], { prompt: 'x' }],
    ['a pattern among several', shape('text {} n?'), ['a', { b: 1 }], { text: 'a', arg1: { b: 1 } }],
    ['rest', shape('...files'), ['a', 'b'], { files: ['a', 'b'] }],
    ['rest behind others', shape('text ...files'), ['a', 'b'], { text: 'a', files: ['b'] }],
    ['an empty rest', shape('text ...files'), ['a'], { text: 'a' }],
    ['a list that is a parameter', shape('args'), [[1]], { args: [1] }],
    ['names not knowable', shape(null), [1, { a: 2 }], { args: [1, { a: 2 }] }],
    ['names that are not different', shape('arg1 {}'), [1, { a: 2 }], { args: [1, { a: 2 }] }],
    ['a name that no object may have', shape('constructor'), [1], { args: [1] }],
  ])('%s', (_, of, args, wanted) => {
    const { input, parts } = write(of, args)
    expect(input).toEqual({ ...wanted, 'flash:call': header })
    expect(parts).toEqual([])
    const read = readInput(of, travel(input))
    expect(read).toMatchObject({ args, foreign: false, callable: 'default' })
  })

  const bytes = new Uint8Array([1, 2])
  const shared = { a: 1 }
  test.each<[string, InputShape, unknown[]]>([
    ['a date', shape('at'), [new Date(5)]],
    ['bytes', shape('image'), [bytes]],
    ['undefined in the middle', shape('a? b'), [undefined, 1]],
    ['undefined at the end', shape('a b?'), [1, undefined]],
    ['sharing between arguments', shape('a b'), [shared, shared]],
    ['more arguments than parameters', shape('a'), [1, 2]],
    ['fewer than the function needs', shape('a b'), [1]],
    ['rich arguments of unknown names', shape(null), [new Map([[1, 2]])]],
    ['an object that looks empty', shape('{}?'), [{}]],
    ['no object, where one is taken', shape('options', true), ['text']],
    ['a list, where an object is taken', shape('{}'), [[1]]],
    ['an object with the key args', shape('{}'), [{ args: [1] }]],
    ['an object with keys of ours', shape('{}'), [{ 'flash:call': { v: 1 } }]],
    ['an object with the mark of nothing', shape('{}'), [{ __empty: true }]],
    ['no argument, where one is taken', shape('{}?'), []],
  ])('as flash:args: %s', (_, of, args) => {
    const { input, parts } = write(of, args)
    expect(Object.keys(input).sort()).toEqual(['flash:args', 'flash:call'])
    expect(readInput(of, travel(input), parts).args).toEqual(args)
    const inline = writeInput(of, args, {}, { inline: true }) as WrittenInput
    expect(inline.parts).toEqual([])
    expect(readInput(of, travel(inline.input)).args).toEqual(args)
  })

  test('bytes are parts beside the input, or in its text', () => {
    expect(write(shape('image'), [bytes]).parts).toEqual([bytes])
    const inline = writeInput(shape('image'), [bytes], {}, { inline: true }) as WrittenInput
    expect(inline.input['flash:args']).toContain('"AQI="')
  })

  test('a file is read first', async () => {
    const file = new File(['abc'], 'a.txt')
    for (const inline of [true, false]) {
      const written = writeInput(shape('image'), [file], {}, { inline })
      expect(written).toBeInstanceOf(Promise)
      const { input, parts } = await written
      const [back] = readInput(shape('image'), travel(input), parts).args as [File]
      expect([back.name, await back.text()]).toEqual(['a.txt', 'abc'])
    }
  })

  test('the header has what the caller says', () => {
    const call = { fn: 'tokens', bundle: 'b', deadline: 5, hops: 1, trace: 't' }
    const { input } = write(model, ['x'], call)
    expect(readInput(model, travel(input)).header).toEqual({ v: 1, ...call })
  })

  test('what does not travel is named with its path', () => {
    expect(refusal(() => write(shape('a b'), [1, { fn() {} }])).message).toMatch(
      /^argument 1\.fn is a function/,
    )
  })
})

describe('classes', () => {
  test('constructor arguments travel in the header, plain or rich', () => {
    const plain = write(model, ['x'], { fn: 'load', new: ['small', { a: 1 }] })
    expect(plain.input['flash:call']?.new).toEqual(['small', { a: 1 }])
    expect(readInput(model, travel(plain.input))).toMatchObject({
      callable: 'load',
      args: ['x'],
      construct: ['small', { a: 1 }],
    })
    const made = [new Map([[1, new Uint8Array([7])]])]
    const rich = write(model, ['x'], { fn: 'load', new: made })
    expect(rich.parts).toEqual([])
    expect(readInput(model, travel(rich.input)).construct).toEqual(made)
    const again = write(model, ['x'], { fn: 'load', new: writeConstruct(made) })
    expect(again.input).toEqual(rich.input)
  })

  test('constructor arguments may be files', async () => {
    const { input } = await writeInput(model, ['x'], { fn: 'load', new: [new File(['abc'], 'a')] })
    const [file] = readInput(model, travel(input)).construct as [File]
    expect(await file.text()).toBe('abc')
  })

  test('a constructor argument that does not travel is called one', () => {
    expect(refusal(() => write(model, ['x'], { fn: 'load', new: [() => {}] })).message).toMatch(
      /^constructor argument 0 is a function/,
    )
  })

  test('a foreign caller names the method beside its arguments', () => {
    expect(readInput(model, { method: 'tokens', text: 'a' })).toEqual({
      callable: 'tokens',
      args: ['a'],
      construct: [],
      header: null,
      foreign: true,
    })
    expect(readInput(model, { method: 'any', __empty: true }).args).toEqual([])
    expect(readInput(model, { method: 'any', args: [1] }).args).toEqual([1])
  })

  test('one that has a parameter "method" is called by flash:call', () => {
    const payment: InputShape = {
      kind: 'class',
      callables: [
        { name: 'charge', params: params('method') },
        { name: 'refund', params: [] },
      ],
      takesObject: false,
    }
    expect(readInput(payment, { 'flash:call': { v: 1, fn: 'charge' }, method: 'card' }).args).toEqual([
      'card',
    ])
    expect(refusal(() => readInput(payment, { method: 'charge' })).message).toMatch(/has several methods/)
  })

  test('the only method needs no name, and keeps a key "method" that is data', () => {
    const one: InputShape = {
      kind: 'class',
      callables: [{ name: 'charge', params: params('{}') }],
      takesObject: false,
    }
    expect(readInput(one, { method: 'card' })).toMatchObject({
      callable: 'charge',
      args: [{ method: 'card' }],
    })
    expect(readInput(one, { method: 'charge', amount: 1 }).args).toEqual([{ amount: 1 }])
    expect(readInput(one, { method: 5 }).args).toEqual([{ method: 5 }])
  })

  test('an unknown method is refused with the known ones', () => {
    const error = refusal(() => readInput(model, { method: 'token', text: 'a' }))
    expect(error.code).toBe('BAD_INPUT')
    expect(error.message).toBe('the class has no method "token"')
    expect(error.hint).toBe('did you mean "tokens"? its methods: load, tokens, any')
    expect(refusal(() => write(model, [], { fn: 'toString' })).code).toBe('BAD_INPUT')
    expect(refusal(() => readInput(model, {})).hint).toBe('add "method": one of load, tokens, any')
  })
})

describe('what a foreign caller sends', () => {
  test.each<[string, InputShape, unknown, unknown[]]>([
    ['names in any order', shape('text n?'), { n: 2, text: 'a' }, ['a', 2]],
    ['a default left out in the middle', shape('a b? c?'), { a: 1, c: 3 }, [1, undefined, 3]],
    ['nothing', shape('n?'), {}, []],
    ["Python's nothing", shape('n?'), { __empty: true }, []],
    ["Python's nothing, as an object", shape('{}'), { __empty: true }, [{}]],
    ['nothing, for an object with a default', shape('{}?'), {}, []],
    ['nothing, where a schema decides', shape('options?', true), {}, [{}]],
    ['nothing, names not knowable', shape(null), { __empty: true }, []],
    ['the object itself', shape('{}'), { prompt: 'x', args: [1] }, [{ prompt: 'x', args: [1] }]],
    ['positions', shape('text n?'), { args: ['a', 2] }, ['a', 2]],
    ['one position', shape('{}'), { args: [{ prompt: 'x' }] }, [{ prompt: 'x' }]],
    ['a position for a schema', shape('text', true), { args: ['x'] }, ['x']],
    ['a position for a schema, names not knowable', shape(null, true), { args: ['x'] }, ['x']],
    ['positions for a rest', shape('...files'), { args: ['a', 'b', 'c'] }, ['a', 'b', 'c']],
    ['a parameter called args', shape('args'), { args: [1] }, [[1]]],
    ['a parameter called __empty', shape('__empty'), { args: [1] }, [1]],
  ])('%s', (_, of, input, args) => {
    expect(readInput(of, input)).toMatchObject({ args, foreign: true, header: null })
  })

  test.each<[string, InputShape, unknown, RegExp, RegExp]>([
    [
      'an unknown name',
      shape('prompt steps?'),
      { promt: 'x' },
      /no parameter "promt"/,
      /did you mean "prompt"\? its parameters: prompt, steps/,
    ],
    [
      'a name like no other',
      shape('prompt'),
      { zzzzzz: 1 },
      /no parameter "zzzzzz"/,
      /^its parameters: prompt$/,
    ],
    [
      'an inherited name',
      shape('prompt'),
      { toString: 1 },
      /no parameter "toString"/,
      /its parameters: prompt/,
    ],
    ['any name, where none is taken', shape(''), { a: 1 }, /no parameter "a"/, /takes no arguments/],
    ['args beside names', shape('a b?'), { args: [1], b: 2 }, /no parameter "args"/, /its parameters: a, b/],
    ['a missing parameter', shape('text n'), { text: 'a' }, /parameter "n" is missing/, /add "n"/],
    ['a missing position', shape('text n'), { args: ['a'] }, /parameter "n" is missing/, /add "n"/],
    [
      'a missing position, the names being alike',
      shape('arg1 {}'),
      { args: ['a'] },
      /parameter "arg1" is missing/,
      /./,
    ],
    [
      'too many positions',
      shape('text'),
      { args: [1, 2] },
      /there are 2 arguments, the function takes at most 1/,
      /its parameters: text/,
    ],
    ['two positions for one object', shape('{}'), { args: [1, 2] }, /there are 2 arguments/, /./],
    ['names for unknown parameters', shape(null), { a: 1 }, /"a" cannot be placed/, /send \{"args"/],
    [
      'a rest that is no list',
      shape('...files'),
      { files: 'a' },
      /"files" takes the remaining arguments/,
      /"files": \[/,
    ],
    ['a list', shape('a'), [1], /the input is no object/, /send \{"input"/],
    ['a text', shape('a'), 'x', /the input is no object/, /./],
    ['a key of ours', shape('{}'), { 'flash:other': 1 }, /unknown key "flash:other"/, /^/],
    [
      'a forbidden key',
      shape('{}'),
      JSON.parse('{"a":{"__proto__":1}}'),
      /"__proto__", which is never accepted/,
      /^/,
    ],
    [
      'a thousand and more arguments',
      shape('...files'),
      { files: Array(1_025).fill(0) },
      /1025 arguments, the limit is 1024/,
      /^/,
    ],
    [
      'as many positions',
      shape('...files'),
      { args: Array(1_025).fill(0) },
      /1025 arguments, the limit is 1024/,
      /^/,
    ],
  ])('refused: %s', (_, of, input, message, hint) => {
    const error = refusal(() => readInput(of, input))
    expect(error.code).toBe('BAD_INPUT')
    expect(error.message).toMatch(message)
    expect(error.hint ?? '').toMatch(hint)
  })

  test('a refusal tells programs the parameter', () => {
    expect(refusal(() => readInput(shape('text'), {})).data).toEqual({ parameter: 'text', known: ['text'] })
  })
})

describe('a header or text that is not as we write it', () => {
  const call = (header: unknown) => ({ 'flash:call': header })
  test.each<[string, unknown, RegExp]>([
    ['another version', call({ v: 2 }), /not of version 1/],
    ['no object', call('x'), /not of version 1/],
    ['a method that is no text', call({ v: 1, fn: 5 }), /field "fn" of the wrong type/],
    ['constructor arguments that are an object', call({ v: 1, new: {} }), /field "new" of the wrong type/],
    [
      'constructor arguments that are no list',
      call({ v: 1, new: '[{}]' }),
      /"new" of "flash:call" is no list/,
    ],
    ['constructor arguments by the thousand', call({ v: 1, new: Array(1_025).fill(0) }), /1025 arguments/],
    ['a deadline that is no number', call({ v: 1, deadline: 'soon' }), /field "deadline"/],
    ['arguments that are no list', { ...call({ v: 1 }), 'flash:args': '[{}]' }, /"flash:args" is no list/],
    ['arguments that are no text', { ...call({ v: 1 }), 'flash:args': [] }, /"flash:args" is no list/],
    [
      'arguments beside names',
      { ...call({ v: 1 }), 'flash:args': '[[]]', a: 1 },
      /both "flash:args" and "a"/,
    ],
    [
      'arguments that hold an error',
      { ...call({ v: 1 }), 'flash:args': '[[1],["Error",2],{}]' },
      /no type that travels/,
    ],
  ])('%s', (_, input, message) => {
    expect(refusal(() => readInput(shape('a?'), input)).message).toMatch(message)
  })

  test('fields of a later version are passed over', () => {
    const header = { v: 1, later: true } as unknown as CallHeader
    expect(readInput(shape('a?'), { 'flash:call': header, a: 1 }).args).toEqual([1])
  })
})

describe('the shape of a function', () => {
  const fact = { kind: 'function', setup: null, hasInput: false } as const
  const callables = [{ name: 'default', kind: 'function' as const, params: params('image ocr') }]

  test('has its parameters as written', () => {
    expect(inputShape({ ...fact, callables })).toMatchObject({
      takesObject: false,
      callables: [{ params: params('image ocr') }],
    })
  })

  test('has no state', () => {
    expect(inputShape({ ...fact, callables, setup: 'x' })).toMatchObject({
      takesObject: false,
      callables: [{ params: params('image') }],
    })
    expect(inputShape({ ...fact, callables, hasInput: true })).toMatchObject({
      takesObject: true,
      callables: [{ params: params('image') }],
    })
  })

  test('of unknown names has none', () => {
    const unknown = [{ name: 'default', kind: 'function' as const, params: null }]
    expect(inputShape({ ...fact, callables: unknown, setup: 'x' }).callables).toEqual([
      { name: 'default', params: null },
    ])
  })

  test('of a class keeps the parameters of its methods', () => {
    expect(inputShape({ ...fact, kind: 'class', callables, setup: 'x' }).callables[0]!.params).toHaveLength(2)
  })

  test('without a callable is called by position', () => {
    expect(readInput({ kind: 'function', callables: [], takesObject: false }, { args: [1] })).toMatchObject({
      callable: 'default',
      args: [1],
    })
  })
})

describe('what a class is made with', () => {
  const param = (name: string, optional = false) => ({ name, kind: 'plain', optional }) as const
  const shape: InputShape = {
    kind: 'class',
    callables: [{ name: 'add', params: [param('n')] }],
    takesObject: false,
    construct: [param('start'), param('step', true)],
  }

  test('has to be given', () => {
    for (const input of [
      { n: 1 },
      { n: 1, 'flash:call': { v: 1 } },
      { n: 1, 'flash:call': { v: 1, new: [] } },
    ])
      expect(() => readInput(shape, input as never)).toThrow(
        expect.objectContaining({
          code: 'BAD_INPUT',
          message: 'the class is made with "start", and the call gives no value for it',
        }),
      )
    expect(readInput(shape, { n: 1, 'flash:call': { v: 1, new: [5] } }).construct).toEqual([5])
  })

  test('may be missing where nothing is required or nothing is known', () => {
    for (const construct of [[], [param('step', true)], null, undefined])
      expect(readInput({ ...shape, construct }, { n: 1 }).construct).toEqual([])
  })
})
