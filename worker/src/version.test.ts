import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { version } from './version.ts'

test('the version is that of the published package', () => {
  const file = resolve(import.meta.dirname, '../../packages/unplugin-flash/package.json')
  expect(version).toBe(JSON.parse(readFileSync(file, 'utf8')).version)
})
