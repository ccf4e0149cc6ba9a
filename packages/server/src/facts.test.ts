import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type AppFacts, FACTS_FILE, openFacts, readFacts, sealFacts } from './facts.ts'
import { facts, key } from './testing/production.ts'

const app: AppFacts = { ...facts, appType: 'spa', maxBodyBytes: 10_000_000 }
const otherKey = new Uint8Array(32).fill(8)

const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.any(String) })

test('sealed facts open to what was sealed, with the functions in the order of their ids', () => {
  const opened = openFacts(sealFacts(app, key), key)
  expect(opened).toEqual({ ...app, functions: [app.functions[1], app.functions[0]] })
})

test('the file says nothing by itself', () => {
  const sealed = sealFacts(app, key)
  const bytes = Buffer.from(sealed.split('.').at(-1)!, 'base64url').toString('latin1')
  for (const word of ['shop', 'read', 'ocr', '_flash']) expect(bytes).not.toContain(word)
})

test('two builds are equal, and what differs shares nothing', () => {
  const sealed = sealFacts(app, key)
  const turned = { ...app, functions: [...app.functions].reverse() }
  expect(sealFacts(turned, key)).toBe(sealed)
  const other = sealFacts({ ...app, app: 'shoq' }, key)
  expect(other.slice(0, 30)).not.toBe(sealed.slice(0, 30))
  expect(sealFacts(app, otherKey).slice(0, 30)).not.toBe(sealed.slice(0, 30))
})

describe('refused are', () => {
  test('facts of another key', () => {
    expect(() => openFacts(sealFacts(app, otherKey), key)).toThrow(
      refusal('BAD_PROJECT_KEY', /another project key/),
    )
  })

  test('facts that were altered or cut, at any place', () => {
    const sealed = sealFacts(app, key)
    const start = sealed.lastIndexOf('.') + 1
    for (let at = start; at < sealed.length - 2; at += 7) {
      const altered = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
      expect(() => openFacts(altered, key)).toThrow(refusal('BAD_PROJECT_KEY', /another project key/))
      expect(() => openFacts(sealed.slice(0, at), key)).toThrow(
        refusal('BAD_PROJECT_KEY', /another project key/),
      )
    }
  })

  test.each(['', '{}', 'flash-facts.2.AAAA', 'x'.repeat(1_000)])('files of another form: %j', (text) => {
    expect(() => openFacts(text, key)).toThrow(refusal('BUILD_MISSING', /not written by this version/))
  })
})

test('facts are read from the folder of the app, which has to be there', () => {
  const dist = mkdtempSync(join(tmpdir(), 'flash-facts-'))
  expect(() => readFacts(dist, key)).toThrow(refusal('BUILD_MISSING', /there is no built app/))
  expect(() => readFacts(join(dist, 'nowhere'), key)).toThrow(
    refusal('BUILD_MISSING', /there is no built app/),
  )
  writeFileSync(join(dist, FACTS_FILE), sealFacts(app, key))
  expect(readFacts(dist, key)).toMatchObject({ app: 'shop', appType: 'spa', maxBodyBytes: 10_000_000 })
})
