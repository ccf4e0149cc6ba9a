import { afterEach, expect, test, vi } from 'vitest'
import { warnOfUnnamed } from './unnamed.ts'

let restore = () => {}
afterEach(() => restore())

test('a variable that is not named draws one warning, when it is read', () => {
  const warn = vi.fn()
  restore = warnOfUnnamed(['UNNAMED_ONE', 'UNNAMED_TWO'], 'ocr', warn)
  expect(warn).not.toHaveBeenCalled()
  expect(process.env.UNNAMED_ONE).toBeUndefined()
  expect(process.env.UNNAMED_ONE).toBeUndefined()
  expect(warn).toHaveBeenCalledOnce()
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/UNNAMED_ONE.*"ocr".*env/))
})

test('variables the worker has, and those code sets itself, draw none', () => {
  const warn = vi.fn()
  restore = warnOfUnnamed(['PATH', 'UNNAMED_SET'], 'ocr', warn)
  process.env.UNNAMED_SET = 'x'
  expect([process.env.PATH, process.env.UNNAMED_SET, process.env.NOT_IN_ANY_FILE].map(Boolean)).toEqual([
    true,
    true,
    false,
  ])
  expect(Object.keys(process.env)).toContain('UNNAMED_SET')
  delete process.env.UNNAMED_SET
  expect(warn).not.toHaveBeenCalled()
})

test('afterwards the environment is itself again', () => {
  const before = process.env
  warnOfUnnamed(['UNNAMED_ONE'], 'ocr', () => {})()
  expect(process.env).toBe(before)
})
