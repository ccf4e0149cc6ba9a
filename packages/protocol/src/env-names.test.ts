import { expect, test } from 'vitest'
import { refuseEnvName } from './env-names.ts'

for (const name of ['HF_TOKEN', 'token', '_private', 'PORTAL', 'MY_FLASH_KEY', 'NODE_ENV', 'a1']) {
  test(`allowed: ${name}`, () => expect(refuseEnvName(name, 'literal')).toBeUndefined())
}

for (const [name, reason] of [
  ['FLASH_KEY', /begin with FLASH_/],
  ['flash_key', /begin with FLASH_/],
  ['_Flash_Source', /begin with _FLASH_/],
  ['RUNPOD_POD_ID', /begin with RUNPOD_/],
  ['PORT', /set by the platform or by flash/],
  ['port_health', /set by the platform or by flash/],
  ['MODEL_REVISION', /set by/],
  ['NODE_OPTIONS', /set by/],
  ['LD_PRELOAD', /set by/],
  ['1A', /letters, digits and _/],
  ['A-B', /letters, digits and _/],
  ['', /letters, digits and _/],
  ['runpod_api_key', /write it RUNPOD_API_KEY/],
] as const) {
  test(`refused in every form: ${JSON.stringify(name)}`, () => {
    for (const form of ['byName', 'literal', 'secret'] as const)
      expect(refuseEnvName(name, form)).toMatch(reason)
  })
}

test('the account key is asked for by name or as a secret, never as a literal', () => {
  expect(refuseEnvName('RUNPOD_API_KEY', 'byName')).toBeUndefined()
  expect(refuseEnvName('RUNPOD_API_KEY', 'secret')).toBeUndefined()
  expect(refuseEnvName('RUNPOD_API_KEY', 'literal')).toMatch(/in the manifest/)
})
