import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSpool, defaultSpoolFolder, type Result } from './spool.ts'
import { temporaryFolder } from './testing/worker.ts'

function setUp(folder = join(temporaryFolder(), 'below', 'it')) {
  const problems: string[] = []
  let now = 1_700_000_000_000
  const spool = createSpool(folder, { complain: (problem) => void problems.push(problem), now: () => now })
  return { folder, problems, spool, wait: (ms: number) => void (now += ms) }
}

const result: Result = { jobId: 'a/b', requestId: 'r1', streamed: true, json: '{"output":"line\\nü"}' }

test('a result that is kept can be read again until it is dropped', async () => {
  const { spool, folder, problems } = setUp()
  expect(await spool.load()).toEqual([])
  await spool.keep(result)
  await spool.keep({ ...result, requestId: 'r2' })
  expect(await spool.load()).toEqual([{ ...result, requestId: 'r2' }])
  await spool.drop('a/b')
  await spool.drop('a/b')
  expect(readdirSync(folder)).toEqual([])
  expect(problems).toEqual([])
})

test('what was half written, is no result, or is a week old, is removed', async () => {
  const { spool, folder, wait } = setUp(temporaryFolder())
  await spool.keep(result)
  wait(7 * 24 * 3_600_000)
  await spool.keep({ ...result, jobId: 'new' })
  writeFileSync(join(folder, 'x.result.4711'), 'half')
  for (const [i, text] of [
    '',
    'no JSON\n{}',
    '{"jobId":1}\n{}',
    '{"jobId":"..","requestId":"r","streamed":true,"at":1700000000000}\n{}',
    'null\n{}',
  ].entries())
    writeFileSync(join(folder, `${i}.result`), text)
  writeFileSync(join(folder, 'other.txt'), 'of somebody else')
  expect((await spool.load()).map(({ jobId }) => jobId)).toEqual(['new'])
  expect(readdirSync(folder)).toHaveLength(2)
})

test('a folder that is a link is not used', async () => {
  const folder = join(temporaryFolder(), 'link')
  symlinkSync(temporaryFolder(), folder)
  const { spool, problems } = setUp(folder)
  await spool.keep(result)
  expect(problems.join()).toContain('is no folder of this user')
  expect(await spool.load()).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('a result that cannot take the place of its file leaves nothing half written', async () => {
  const { spool, folder, problems } = setUp()
  await spool.keep(result)
  const [name] = readdirSync(folder)
  rmSync(join(folder, name!))
  mkdirSync(join(folder, name!))
  await spool.keep(result)
  expect(problems.join()).toContain('could not be kept')
  expect(readdirSync(folder)).toEqual([name])
})

test('the folder is below the temporary one, whatever the names are', () => {
  const below = (name: string) => join(tmpdir(), name)
  expect(defaultSpoolFolder('ep', 'w/../1').slice(0, -8)).toBe(below('flash-ep-w____1-'))
  expect(defaultSpoolFolder(undefined, 'w1').slice(0, -8)).toBe(below('flash-endpoint-w1-'))
  expect(defaultSpoolFolder('ep', 'w'.repeat(300)).length).toBeLessThan(below('').length + 100)
})

test('no two workers share a folder', () => {
  const pairs = [
    ['a-b', 'c'],
    ['a', 'b-c'],
    ['a.b', 'c'],
    ['a_b', 'c'],
  ] as const
  expect(new Set(pairs.map(([endpoint, worker]) => defaultSpoolFolder(endpoint, worker))).size).toBe(4)
  expect(defaultSpoolFolder('a', 'b')).toBe(defaultSpoolFolder('a', 'b'))
})
