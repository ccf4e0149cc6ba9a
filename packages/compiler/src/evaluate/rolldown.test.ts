import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { findRolldown } from './rolldown.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-rolldown-')))
const nowhere = pathToFileURL(join(root, 'package.json')).href
test.afterAll(() => rmSync(root, { recursive: true, force: true }))

test('the copy beside Vite', () => {
  expect(findRolldown(root)).toMatch(/^file:.*\/rolldown\/dist\//)
})

test('without Vite, what is missing and how to get it', () => {
  expect(() => findRolldown(root, [nowhere])).toThrow(
    expect.objectContaining({ code: 'BUNDLER_NOT_FOUND', hint: expect.stringContaining('vite') }),
  )
})
