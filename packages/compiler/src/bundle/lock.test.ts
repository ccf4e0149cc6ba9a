import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withLock } from './lock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flash-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lock = () => join(folder, '.lock')
const token = '6f1c1c5e-3a7e-4c39-9d0a-0d6a1f6f2b11'
const gone = () => spawnSync(process.execPath, ['-e', '']).pid
const hold = (holder: object | string) =>
  writeFileSync(lock(), typeof holder === 'string' ? holder : JSON.stringify(holder))
const age = (minutes: number) => {
  const then = new Date(Date.now() - minutes * 60_000)
  utimesSync(lock(), then, then)
}

/** Adds one each, in a way that loses some where two run at once. */
async function count(times: number): Promise<number> {
  let total = 0
  const add = async () => {
    const before = total
    for (let turn = 0; turn < 3; turn++) await pause()
    total = before + 1
  }
  await Promise.all(Array.from({ length: times }, () => withLock(folder, add)))
  return total
}

test('one runs at a time, and nothing stays behind', async () => {
  expect(await count(10)).toBe(10)
  expect(readdirSync(folder)).toEqual([])
})

test('the result, or what was thrown, comes through; a folder that is missing is made', async () => {
  folder = join(folder, 'deep/er')
  expect(await withLock(folder, async () => existsSync(lock()))).toBe(true)
  const failing = withLock(folder, async () => {
    throw new Error('inside')
  })
  await expect(failing).rejects.toThrow('inside')
  expect(readdirSync(folder)).toEqual([])
})

for (const [what, holder, minutes] of [
  ['a process that is gone', () => ({ pid: gone(), host: hostname(), token }), 0],
  ['another machine, long ago', () => ({ pid: 1, host: 'elsewhere', token }), 20],
  ['a process that lives, long ago', () => ({ pid: process.pid, host: hostname(), token }), 20],
  ['nobody can tell whom, long ago', () => '', 20],
  ['a token that is no name of a file, long ago', () => ({ pid: 1, host: 'x', token: '../../x' }), 20],
] as const) {
  test(`a lock of ${what} is taken over, by one at a time`, async () => {
    hold(holder())
    age(minutes)
    expect(await count(10)).toBe(10)
    expect(readdirSync(folder)).toEqual([])
  })
}

for (const [what, holder, told] of [
  ['a process that lives', { pid: process.pid, host: hostname(), token }, `process ${process.pid}`],
  ['another machine', { pid: 1, host: 'elsewhere', token }, 'process 1 on elsewhere'],
  ['nobody can tell whom', '{"pid":', 'another process'],
] as const) {
  test(`a lock of ${what} ends the wait in an error, and stays`, async () => {
    hold(holder)
    const run = async () => expect.unreachable()
    await expect(withLock(folder, run, { waitMs: 30 })).rejects.toMatchObject({
      code: 'BUILD_BUSY',
      message: expect.stringContaining(told),
      hint: expect.stringContaining(lock()),
    })
    expect(readdirSync(folder)).toEqual(['.lock'])
  })
}

test('a lock that somebody else took over meanwhile is not given back', async () => {
  await withLock(folder, async () => hold({ pid: 1, host: 'elsewhere', token }))
  expect(readFileSync(lock(), 'utf8')).toContain('elsewhere')
})

test('what is no matter of locks is thrown as it is', async () => {
  folder = join(folder, 'file')
  writeFileSync(folder, '')
  await expect(withLock(folder, async () => 1)).rejects.toMatchObject({ code: 'EEXIST' })
  rmSync(folder)
})
