import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bindStub } from './index.ts'
import { mapItems } from './map.ts'
import { type Exchange, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
beforeEach(() => {
  endless = 0
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

async function stubOf(script: (exchange: Exchange) => unknown, generator?: 1) {
  server = await startScriptedServer(script)
  return bindStub(server.url)(ref, generator)
}

let endless = 0

/** Until the caller knows that as many endless calls were accepted. */
const othersAccepted = () =>
  vi.waitUntil(() => vi.mocked(console.log).mock.calls.length >= endless, { interval: 2 })

/** Doubles numbers, the larger ones sooner; fails at text, and never answers to null. */
async function double(exchange: Exchange) {
  if (exchange.route === 'cancel') return exchange.end()
  const [item] = exchange.value.args
  exchange.accept(`token of ${item}`)
  if (item === null) return exchange.say('log', { stream: 'stdout', text: 'accepted' })
  if (typeof item === 'string') {
    await othersAccepted()
    return exchange.fail({ name: 'RangeError', message: item })
  }
  await new Promise((resolve) => setTimeout(resolve, 20 - item))
  return exchange.end(item * 2)
}

const cancelled = () =>
  server!.exchanges.filter(({ route }) => route === 'cancel').map(({ value }) => value.token)

describe('map', () => {
  test('calls once for each item and keeps their order', async () => {
    const stub = await stubOf(double)
    expect(await stub.map([1, 20, 3])).toEqual([2, 40, 6])
    const sent = server!.exchanges.map(({ value }) => value.args)
    expect(sent.toSorted()).toEqual([[1], [20], [3]])
  })

  test('sends nothing for no items', async () => {
    const stub = await stubOf(double)
    expect(await stub.map([])).toEqual([])
    expect(await stub.map(new Set())).toEqual([])
    expect(server!.exchanges).toEqual([])
  })

  for (const [concurrency, most] of [
    [undefined, 8],
    [1, 1],
    [3, 3],
    [100, 20],
  ] as const) {
    test(`has ${most} of 20 calls in flight with concurrency ${concurrency ?? 'left out'}`, async () => {
      let running = 0
      let highest = 0
      const stub = await stubOf(async (exchange) => {
        highest = Math.max(highest, ++running)
        exchange.accept('t')
        await vi.waitUntil(() => highest >= most, { interval: 2, timeout: 5000 })
        await new Promise((resolve) => setTimeout(resolve, 10))
        running--
        await exchange.end(1)
      })
      await stub.map(Array.from({ length: 20 }), { concurrency })
      expect(highest).toBe(most)
    })
  }

  for (const concurrency of [0, -1, Number.NaN]) {
    test(`refuses a concurrency of ${concurrency}`, async () => {
      const stub = await stubOf(double)
      await expect(stub.map([1], { concurrency })).rejects.toThrow(RangeError)
    })
  }

  test('at the first failure cancels the rest and rejects with it', async () => {
    endless = 2
    const stub = await stubOf(double)
    await expect(stub.map([null, 'bad', null, 1], { concurrency: 3 })).rejects.toMatchObject({
      name: 'RangeError',
      message: 'bad',
      stack: expect.stringContaining('map.test.ts'),
    })
    await vi.waitFor(() => expect(cancelled()).toEqual(['token of null', 'token of null']), { interval: 2 })
    expect(server!.exchanges.filter(({ value }) => value.args).length).toBe(3)
  })

  test('with settle waits for all of them', async () => {
    const stub = await stubOf(double)
    expect(await stub.map([1, 'bad', 3], { settle: true })).toEqual([
      { status: 'fulfilled', value: 2 },
      { status: 'rejected', reason: expect.any(RangeError) },
      { status: 'fulfilled', value: 6 },
    ])
  })

  for (const settle of [false, true]) {
    test(`stops all by the signal, and rejects with its reason, with settle ${settle}`, async () => {
      const stub = await stubOf(double)
      const controller = new AbortController()
      const reason = new Error('enough')
      const result = stub.with({ signal: controller.signal }).map([null, null], { settle })
      endless = 2
      await othersAccepted()
      controller.abort(reason)
      await expect(result).rejects.toBe(reason)
      await vi.waitUntil(() => cancelled().length === 2, { interval: 2 })
    })
  }

  test('of a generator gives the items of each', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept('t')
      for (let item = 0; item < exchange.value.args[0]; item++) await exchange.say('item', item)
      await exchange.say('end')
      await exchange.end()
    }, 1)
    expect(await stub.map([2, 0, 1])).toEqual([[0, 1], [], [0]])
  })

  test('is like Promise.all over the items, whatever takes how long', async () => {
    const item = fc.record({ ticks: fc.nat(5), fails: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (items, concurrency) => {
          let running = 0
          const settled = await mapItems(items, { concurrency, settle: true }, undefined, async (given) => {
            const { ticks, fails } = given as (typeof items)[number]
            expect(++running).toBeLessThanOrEqual(concurrency)
            for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
            running--
            if (fails) throw given
            return given
          })
          expect(settled).toEqual(
            items.map((item) =>
              item.fails ? { status: 'rejected', reason: item } : { status: 'fulfilled', value: item },
            ),
          )
        },
      ),
    )
  })
})
