import { type FunctionFact, parseEndpointConfig, systemClock } from '@flash/protocol'
import { expect, test } from 'vitest'
import { createEndpoints } from './endpoints.ts'
import type { ModuleServer } from './modules.ts'

const fact = (kind: FunctionFact['kind']) =>
  ({ id: kind, kind, endpoint: 'images', exportPath: 'api', setup: null }) as unknown as FunctionFact

/** Endpoints whose config is known once `settle` is called. */
function setUp() {
  let settle = () => {}
  const known = new Promise<void>((resolve) => (settle = resolve))
  const endpoints = createEndpoints({
    context: {
      clock: systemClock,
      root: '/app',
      isolation: 'process',
      inspect: false,
      entry: { program: '/nowhere.mjs', inline: '/nowhere.mjs' },
      modules: { moduleOf: () => '/src/api.ts' } as Partial<ModuleServer> as ModuleServer,
      onOutput() {},
    },
    config: async () => {
      await known
      return parseEndpointConfig({ name: 'images', cpu: 'cpu3g-2-8' }, () => undefined)
    },
    functions: () => [],
    envFiles: () => ({}),
    address: async () => ({}),
  })
  return { endpoints, settle }
}

test('an endpoint that is asked for while everything ends is not made any more', async () => {
  const { endpoints, settle } = setUp()
  const asked = [endpoints.balanced(fact('web')), endpoints.get(fact('function'))]
  endpoints.close()
  settle()
  for (const one of asked) await expect(one).rejects.toMatchObject({ code: 'NO_WORKERS' })
  expect(endpoints.all()).toEqual([])
})
