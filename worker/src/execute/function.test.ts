import { expect, test, vi } from 'vitest'
import { runFunction } from './function.ts'

const options = (abort = new AbortController()) => {
  const items: unknown[] = []
  return { abort, items, signal: abort.signal, onItem: (item: unknown) => items.push(item) }
}

for (const [what, value] of [
  ['a list', [1, 2]],
  ['a map', new Map([[1, 2]])],
  ['text', 'abc'],
  ['nothing', undefined],
  ['null', null],
  ['bytes', new Uint8Array(2)],
] as const) {
  test(`${what} is a value, now or later`, async () => {
    expect(await runFunction(() => value, options())).toEqual({ kind: 'value', value })
    expect(await runFunction(async () => value, options())).toEqual({ kind: 'value', value })
  })
}

test('the next item is asked for when the last one was taken', async () => {
  const order: string[] = []
  const generate = function* () {
    for (const n of [1, 2]) {
      order.push(`made ${n}`)
      yield n
    }
  }
  const onItem = async (item: unknown) => {
    await new Promise((done) => setTimeout(done, 2))
    order.push(`taken ${item}`)
  }
  expect(await runFunction(generate, { signal: options().signal, onItem })).toEqual({ kind: 'stream' })
  expect(order).toEqual(['made 1', 'taken 1', 'made 2', 'taken 2'])
})

test('an error of a generator is that of the call; items before it were given', async () => {
  const given = options()
  const failing = async function* () {
    yield 1
    throw new Error('broke')
  }
  await expect(runFunction(failing, given)).rejects.toThrow('broke')
  expect(given.items).toEqual([1])
})

test('an item that cannot be taken ends the generator', async () => {
  const left = vi.fn()
  const generate = async function* () {
    try {
      yield 1
      yield 2
    } finally {
      left()
      await Promise.reject(new Error('while leaving'))
    }
  }
  const run = runFunction(generate, {
    signal: options().signal,
    onItem: () => Promise.reject(new Error('not taken')),
  })
  await expect(run).rejects.toThrow('not taken')
  expect(left).toHaveBeenCalledOnce()
})

test('a generator that never waits can be aborted', async () => {
  const given = options()
  const endless = function* () {
    for (let n = 0; ; n++) yield n
  }
  setTimeout(() => given.abort.abort(new Error('enough')), 30)
  await expect(runFunction(endless, given)).rejects.toThrow('enough')
  expect(given.items.length).toBeGreaterThan(1)
})

test('an iterable without return is left by not asking further', async () => {
  const given = options()
  let asked = 0
  const iterable = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: ++asked }) }) }
  const run = runFunction(() => iterable, { ...given, onItem: () => given.abort.abort(new Error('enough')) })
  await expect(run).rejects.toThrow('enough')
  expect(asked).toBe(1)
})

test('the reason of the abort wins over what the function throws because of it', async () => {
  const given = options()
  const generate = async function* () {
    yield 1
    await new Promise((_, reject) =>
      given.signal.addEventListener('abort', () => reject(new Error('of the function'))),
    )
  }
  setTimeout(() => given.abort.abort(new Error('the reason')), 5)
  await expect(runFunction(generate, given)).rejects.toThrow('the reason')
})

test('nothing runs after an abort', async () => {
  const given = options()
  given.abort.abort(new Error('too late'))
  const call = vi.fn()
  await expect(runFunction(call, given)).rejects.toThrow('too late')
  expect(call).not.toHaveBeenCalled()
})
