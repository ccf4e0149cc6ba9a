import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResolvedVolume } from '@flash/protocol'
import { afterAll, expect, test } from 'vitest'
import { volumeVariables } from './volume.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-volume-')))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const volume = (name: string | null, id: string | null = null): ResolvedVolume => ({
  kind: 'global',
  id,
  name,
  create: true,
})

for (const [what, volumes, folder] of [
  ['its name', [volume('models'), volume('other')], 'models'],
  ['its id when it has no name', [volume(null, 'vol1')], 'vol1'],
  ['one word when it has neither', [volume(null)], 'volume'],
  ['its name, which cannot lead elsewhere', [volume('../a b')], '__a_b'],
] as const) {
  test(`the folder of a volume is called by ${what}, and is there`, () => {
    const variables = volumeVariables({ volumes }, root)
    expect(variables).toEqual({ FLASH_VOLUME: join(root, '.flash/volumes', folder) })
    expect(existsSync(variables.FLASH_VOLUME!)).toBe(true)
  })
}

test('without a volume there is no variable', () => {
  expect(volumeVariables({ volumes: [] }, root)).toEqual({})
})
