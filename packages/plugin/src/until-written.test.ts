import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClock } from '@flash/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { untilWritten } from './until-written.ts'

function createFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flash-written-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.ts')
  writeFileSync(file, text)
  return file
}

/** A clock that goes on whenever somebody waits for it. */
function createHastyClock(onWait: (waits: number) => void) {
  const clock = createTestClock()
  let waits = 0
  const after = (ms: number, run: () => void) => {
    const disarm = clock.after(ms, run)
    onWait(++waits)
    queueMicrotask(() => clock.advance(ms))
    return disarm
  }
  return { ...clock, after, waits: () => waits }
}

test('a file with text, and one that is gone, are not waited for', async () => {
  const clock = createHastyClock(() => {})
  await untilWritten(createFile('text'), clock)
  await untilWritten(join(tmpdir(), 'flash-nowhere', 'a.ts'), clock)
  expect(clock.waits()).toBe(0)
})

test('a file whose text is on its way is waited for', async () => {
  const file = createFile('')
  const clock = createHastyClock((waits) => {
    if (waits === 3) writeFileSync(file, 'text')
  })
  await untilWritten(file, clock)
  expect(clock.waits()).toBe(3)
})

test('a file that stays empty is waited for half a second', async () => {
  const clock = createHastyClock(() => {})
  const started = clock.now()
  await untilWritten(createFile(''), clock)
  expect(clock.now() - started).toBe(500)
})
