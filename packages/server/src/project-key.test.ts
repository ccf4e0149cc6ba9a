import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findProjectKey, loadProjectKey } from './project-key.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'flash-key-'))

test('a project gets a key at its first start and keeps it', () => {
  const root = folder()
  const key = loadProjectKey(root, {})
  expect(key).toHaveLength(32)
  expect(loadProjectKey(root, {})).toEqual(key)
  expect(loadProjectKey(folder(), {})).not.toEqual(key)
})

test('only the owner can read the key, and git does not see it', () => {
  const root = folder()
  loadProjectKey(root, {})
  expect(statSync(join(root, '.flash/key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(root, '.flash/.gitignore'), 'utf8')).toBe('*\n')
})

test('git does not see a key that came from elsewhere', () => {
  const root = folder()
  mkdirSync(join(root, '.flash'))
  writeFileSync(join(root, '.flash/key'), Buffer.alloc(32, 1).toString('base64url'))
  expect(loadProjectKey(root, {})).toEqual(Buffer.alloc(32, 1))
  expect(readFileSync(join(root, '.flash/.gitignore'), 'utf8')).toBe('*\n')
})

test('where a new key is of no use, none is made', () => {
  const root = folder()
  expect(() => findProjectKey(root, {})).toThrow(
    expect.objectContaining({
      code: 'BAD_PROJECT_KEY',
      message: expect.stringContaining(join(root, '.flash')),
    }),
  )
  expect(existsSync(join(root, '.flash'))).toBe(false)
  const key = loadProjectKey(root, {})
  expect(findProjectKey(root, {})).toEqual(key)
  const other = Buffer.alloc(32, 2)
  expect(findProjectKey(root, { FLASH_KEY: other.toString('base64url') })).toEqual(other)
})

test('FLASH_KEY comes before the file', () => {
  const root = folder()
  const key = new Uint8Array(32).fill(9)
  expect(loadProjectKey(root, { FLASH_KEY: Buffer.from(key).toString('base64') })).toEqual(Buffer.from(key))
})

for (const [what, text] of [
  ['too short', 'AAAA'],
  ['empty', ''],
  ['no base64', '!!!!'],
] as const) {
  test(`a key file that is ${what} is refused without printing it`, () => {
    const root = folder()
    loadProjectKey(root, {})
    writeFileSync(join(root, '.flash/key'), text)
    expect(() => loadProjectKey(root, {})).toThrow(
      expect.objectContaining({ code: 'BAD_PROJECT_KEY', message: expect.stringContaining('32 are needed') }),
    )
  })
}
