import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindClass } from './index.ts'
import { type Exchange, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
afterEach(() => server?.close())

async function classOf(methods: string) {
  server = await startScriptedServer(async (exchange: Exchange) => {
    exchange.accept('t')
    if (exchange.value.fn !== 'tokens') return exchange.end(exchange.value)
    await exchange.say('item', exchange.value)
    await exchange.say('end')
    await exchange.end()
  })
  return bindClass(server.url)(ref, methods)
}

describe('the stub of a class', () => {
  test('is made at once and sends nothing', () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const Model = bindClass('/_flash')(ref, 'load')
    expect(new Model('small')).toBeInstanceOf(Model)
    expect(fetch).not.toHaveBeenCalled()
  })

  test('sends the constructor arguments with each method', async () => {
    const Model = await classOf('load,*tokens')
    const model = new Model('small', new Date(0)) as any
    expect(await model.load(1)).toEqual({ new: ['small', new Date(0)], fn: 'load', args: [1] })
    for await (const item of model.tokens('hi')) {
      expect(item).toEqual({ new: ['small', new Date(0)], fn: 'tokens', args: ['hi'] })
    }
    const job = await model.load.with({ idempotencyKey: 'k' }).run(2)
    expect(job.id).toBe('t')
    expect(server!.exchanges.at(-1)!.value).toEqual({
      new: ['small', new Date(0)],
      fn: 'load',
      args: [2],
      run: true,
      idempotencyKey: 'k',
    })
  })

  test('keeps instances apart', async () => {
    const Model = await classOf('load')
    const [first, second] = [new Model(1), new Model(2)] as any[]
    expect((await first.load()).new).toEqual([1])
    expect((await second.load()).new).toEqual([2])
    expect(first.load).toBe(first.load)
  })

  test('has methods of any name, and nothing that it was not given', async () => {
    const Model = await classOf('__proto__,hasOwnProperty,valueOf')
    const model = new Model() as any
    for (const name of ['__proto__', 'hasOwnProperty', 'valueOf']) {
      expect(Object.getOwnPropertyDescriptor(model, name)!.value.run).toBeTypeOf('function')
    }
    expect((await model.valueOf()).fn).toBe('valueOf')
    expect(model).toBeInstanceOf(Model)
    expect(model.then).toBe(undefined)
    expect(model.toJSON).toBe(undefined)
    expect(Object.getOwnPropertyNames(new (await classOf(''))())).toEqual([])
  })
})
