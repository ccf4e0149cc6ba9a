import { AppError, type BundleFunction, readInput } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { routeJob } from './route.ts'
import { classOf, functionOf } from './testing.ts'

const read = functionOf('read', ['text'])
const small = functionOf('models.small', ['text'], { id: 'small-id' })
const model = classOf('Model', { ask: ['question'], load: [] })
const all = [read, small, model]

/** `Model.ask(["why"])` for what an input runs, or the error it is refused with. */
function run(
  functions: BundleFunction[],
  input: unknown,
): string | { code: string; message: string; hint: string } {
  try {
    const { fn, shape, input: routed } = routeJob('ocr', functions, input)
    const { callable, args, foreign } = readInput(shape, routed)
    const name = fn.kind === 'class' ? `${fn.exportPath}.${callable}` : fn.exportPath
    return `${fn.id === `${fn.exportPath}-id` ? '' : `${fn.id} `}${name}(${JSON.stringify(args).slice(1, -1)})${foreign ? ' foreign' : ''}`
  } catch (error) {
    const { code, message, hint } = error as AppError
    return { code, message, hint: hint! }
  }
}

const call = (fn: string | undefined, more: object = {}, header: object = {}) => ({
  'flash:call': { v: 1, fn, ...header },
  ...more,
})

describe('one function', () => {
  for (const [what, functions, input, wanted] of [
    ['needs no name', [read], { text: 'a' }, 'read("a") foreign'],
    ['needs none in our header', [read], call(undefined, { text: 'a' }), 'read("a")'],
    ['may be named', [read], call('read', { text: 'a' }), 'read("a")'],
    ['keeps a parameter called method', [functionOf('go', ['method'])], { method: 'x' }, 'go("x") foreign'],
    ['of a class takes the method', [model], { method: 'ask', question: 'why' }, 'Model.ask("why") foreign'],
    ['of a class is called by its method', [model], call('load'), 'Model.load()'],
  ] as const) {
    test(what, () => expect(run([...functions], input)).toBe(wanted))
  }

  test('that is named wrongly is not run', () => {
    expect(run([read], call('write', { text: 'a' }))).toEqual({
      code: 'BAD_INPUT',
      message: 'this endpoint has no function "write"',
      hint: 'it has: read',
    })
  })

  test('with an input that is none is told by whoever reads it', () => {
    expect(run([read], 'text')).toMatchObject({ code: 'BAD_INPUT', message: 'the input is no object' })
  })
})

describe('several functions', () => {
  for (const [what, input, wanted] of [
    ['by export', call('read', { text: 'a' }), 'read("a")'],
    ['by a path of exports', call('models.small', { text: 'a' }), 'small-id models.small("a")'],
    ['by file and export', call('src/a.ts#read', { text: 'a' }), 'read("a")'],
    ['by id', call('small-id', { text: 'a' }), 'small-id models.small("a")'],
    ['by class and method', call('Model.ask', { question: 'why' }), 'Model.ask("why")'],
    ['by file, class and method', call('src/a.ts#Model.load'), 'Model.load()'],
    ['by id and method', call('Model-id.load'), 'Model.load()'],
    ['by method', call('ask', { question: 'why' }, { new: [] }), 'Model.ask("why")'],
    ['by method, without constructor arguments', call('ask', { question: 'why' }), 'Model.ask("why")'],
    ['by the word method, for others', { method: 'read', text: 'a' }, 'read("a") foreign'],
    ['by the word method, a method', { method: 'load' }, 'Model.load() foreign'],
    ['by the word method, with its class', { method: 'Model.ask', question: 'q' }, 'Model.ask("q") foreign'],
  ] as const) {
    test(what, () => expect(run(all, input)).toBe(wanted))
  }

  const names = 'read, models.small, Model.ask, Model.load'
  for (const [what, input] of [
    ['no name', { text: 'a' }],
    ['a header without a name', call(undefined, { text: 'a' })],
    ['a header, in which method is a parameter', call(undefined, { method: 'read' })],
    ['a method that is no text', { method: 1 }],
    ['no object', 'read'],
  ] as const) {
    test(`cannot be told apart by ${what}`, () =>
      expect(run(all, input)).toEqual({
        code: 'BAD_INPUT',
        message: 'endpoint "ocr" has several functions, and the input names none',
        hint: `add "flash:call": {"v":1,"fn":"…"} or "method": "…" to the input, with one of: ${names}`,
      }))
  }

  test('of an unknown name are not guessed', () => {
    const unknown = {
      code: 'BAD_INPUT',
      message: 'this endpoint has no function "toString"',
      hint: `it has: ${names}`,
    }
    expect(run(all, call('toString'))).toEqual(unknown)
    expect(run(all, { method: 'toString' })).toEqual(unknown)
  })

  test('a parameter called method keeps the word for itself', () => {
    const paint = functionOf('paint', ['method'])
    expect(run([read, paint], { method: 'paint' })).toMatchObject({
      message: expect.stringContaining('names none'),
    })
    expect(run([read, paint], call('paint', { method: 'oil' }))).toBe('paint("oil")')
  })
})

describe('one name in two places', () => {
  const one = functionOf('read', ['text'], { id: 'one', path: 'src/one.ts' })
  const two = functionOf('read', ['text'], { id: 'two', path: 'src/two.ts' })
  const copy = functionOf('read', ['text'], { id: 'copy', path: 'src/two.ts' })

  test('is told apart by the file', () => {
    expect(run([one, two], call('read'))).toEqual({
      code: 'BAD_INPUT',
      message: '"read" is the name of 2 functions of this endpoint',
      hint: 'say which one: src/one.ts#read, src/two.ts#read',
    })
    expect(run([one, two], call('src/two.ts#read', { text: 'a' }))).toBe('two read("a")')
    expect(run([one, two], { method: 'src/one.ts#read', text: 'a' })).toBe('one read("a") foreign')
  })

  test('and in files of one name in two packages, by id', () => {
    expect(run([one, two, copy], call('read'))).toMatchObject({
      hint: 'say which one: src/one.ts#read, two, copy',
    })
    expect(run([one, two, copy], call('copy', { text: 'a' }))).toBe('copy read("a")')
  })

  test('of a method and a function: constructor arguments tell', () => {
    const ask = functionOf('ask', ['question'])
    expect(run([ask, model], call('ask', { question: 'q' }))).toBe('ask("q")')
    expect(run([ask, model], call('ask', { question: 'q' }, { new: [] }))).toBe('Model.ask("q")')
  })

  test('of methods is told apart by the class', () => {
    const other = classOf('Other', { ask: [] })
    expect(run([model, other], call('ask', {}, { new: [] }))).toMatchObject({
      hint: 'say which one: Model.ask, Other.ask',
    })
  })
})
