import { expect, test } from 'vitest'
import { type PluginOptions, resolveOptions } from './options.ts'

test('nothing has to be given', () => {
  expect(resolveOptions()).toEqual({
    target: 'local',
    isolation: 'process',
    inspect: false,
    maxBodyBytes: 10_000_000,
    configEnv: [],
    role: 'client',
    worker: {},
  })
})

test('what is given is kept', () => {
  const options: PluginOptions = {
    isolation: 'thread',
    inspect: true,
    maxBodyBytes: 5,
    configEnv: ['REGION'],
    app: 'receipts',
    apiBase: 'https://api.example.com/receipts',
    workerKey: 'CALLS_KEY',
    calls: { retry: false, breaker: true, balance: 'least-busy' },
    role: 'server',
    worker: { plugins: () => [], minify: true, engine: 'rollup', inputOptions: {} },
  }
  expect(resolveOptions(options)).toMatchObject(options)
  expect(resolveOptions({ isolation: undefined })).toMatchObject({ isolation: 'process' })
})

for (const [options, message] of [
  [{ isolation: 'container' }, /"isolation" is "container"; allowed: "process", "thread", "none"/],
  [{ target: 'live' }, /"target" is "live"; allowed: "local"/],
  [{ inspect: 1 }, /true or false/],
  [{ maxBodyBytes: 0 }, /above 0/],
  [{ maxBodyBytes: 1.5 }, /bytes/],
  [{ configEnv: 'REGION' }, /a list of names/],
  [{ isolatoin: 'thread' }, /"isolatoin" is no option; there are: .*isolation/],
  [{ app: ' ' }, /"app" is " "; allowed: a name/],
  [{ apiBase: '/api' }, /absolute URL/],
  [{ workerKey: 'a key' }, /"workerKey" is "a key"; allowed: the name of a variable/],
  [{ calls: true }, /"calls" is true; allowed: an object/],
  [
    { calls: { balance: 'fastest' } },
    /"calls.balance" is "fastest"; allowed: "round-robin", "least-busy", "random"/,
  ],
  [{ calls: { retries: 3 } }, /"calls.retries" is no option; there are: retry, breaker, balance/],
  [{ role: 'worker' }, /"client", "server"/],
  [{ worker: [] }, /an object/],
  [{ worker: { plugins: [] } }, /"worker.plugins" is \[\]; allowed: a function/],
  [{ worker: { minfy: true } }, /"worker.minfy" is no option; there are: .*minify/],
  [{ constructor: 1 }, /"constructor" is no option/],
] as const) {
  test(`${JSON.stringify(options)} is refused`, () => {
    expect(() => resolveOptions(options as never)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(message) }),
    )
  })
}

test('all wrong options are named at once', () => {
  expect(() => resolveOptions({ inspect: 'yes', nope: 1 } as never)).toThrow(/inspect.*nope/)
})
