import { expect, test, vi } from 'vitest'
import { readCallSettings } from './settings.ts'

const defaults = { retry: true, breaker: true, balance: 'round-robin' }

for (const [env, settings] of [
  [{}, {}],
  [{ FLASH_RETRY_ENABLED: ' ' }, {}],
  [
    { FLASH_RETRY_ENABLED: 'false', FLASH_CIRCUIT_BREAKER_ENABLED: '0' },
    { retry: false, breaker: false },
  ],
  [{ FLASH_RETRY_ENABLED: 'TRUE', FLASH_CIRCUIT_BREAKER_ENABLED: 'off' }, { breaker: false }],
  [{ FLASH_LB_STRATEGY: 'least-busy' }, { balance: 'least-busy' }],
  [{ FLASH_LB_STRATEGY: 'least_connections' }, { balance: 'least-busy' }],
  [{ FLASH_LB_STRATEGY: 'ROUND_ROBIN' }, {}],
  [{ FLASH_LB_STRATEGY: 'random' }, { balance: 'random' }],
] as [Record<string, string>, object][]) {
  test(`${JSON.stringify(env)} is understood`, () => {
    const warn = vi.fn()
    expect(readCallSettings(env, {}, warn)).toEqual({ ...defaults, ...settings })
    expect(warn).not.toHaveBeenCalled()
  })
}

for (const [name, value] of [
  ['FLASH_RETRY_ENABLED', 'maybe'],
  ['FLASH_CIRCUIT_BREAKER_ENABLED', '2'],
  ['FLASH_LB_STRATEGY', 'fastest'],
] as const) {
  test(`${name}=${value} is named, with what is allowed, and the default holds`, () => {
    const warn = vi.fn()
    expect(readCallSettings({ [name]: value }, {}, warn)).toEqual(defaults)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(`^${name} is "${value}".*; allowed: .+, .+`)]])
  })
}

test('variables come before what the build says', () => {
  const built = { retry: false, breaker: false, balance: 'random' } as const
  expect(readCallSettings({}, built, vi.fn())).toEqual(built)
  const env = { FLASH_RETRY_ENABLED: '1', FLASH_LB_STRATEGY: 'least-busy' }
  expect(readCallSettings(env, built, vi.fn())).toEqual({
    retry: true,
    breaker: false,
    balance: 'least-busy',
  })
})
