import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBuild } from './build.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-build-')))
})
afterEach(() => rmSync(root, { recursive: true }))

function writeManifest(text: string): void {
  mkdirSync(join(root, '.flash/build'), { recursive: true })
  writeFileSync(join(root, '.flash/build/flash_manifest.json'), text)
}

const manifest = JSON.stringify({ schemaVersion: 1, app: 'shop', wireVersion: 1, node: 24, endpoints: {} })

test('a build is found from any folder of its project, and started once', async () => {
  writeManifest(manifest)
  const inner = join(root, 'packages/app/src')
  mkdirSync(inner, { recursive: true })
  const [one, two] = await Promise.all([openBuild(inner), openBuild(root)])
  expect(one).toBe(two)
  expect(await one.find('nobody')).toBeNull()
})

test('without one the error says where it was looked for', async () => {
  await expect(openBuild(root)).rejects.toMatchObject({
    code: 'BUILD_MISSING',
    message: expect.stringContaining(root),
    hint: expect.stringContaining('vite build'),
  })
})

test('one that cannot be read is read again by the next call', async () => {
  writeManifest('{')
  await expect(openBuild(root)).rejects.toMatchObject({ code: 'BAD_MANIFEST' })
  writeManifest(manifest)
  expect(await openBuild(root)).toBeDefined()
})
