import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createContext, createSetupContext } from './context.ts'
import { findModel } from './model.ts'

let root: string
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'flash-model-'))))
afterEach(() => rmSync(root, { recursive: true }))

const make = (path: string) => {
  mkdirSync(join(root, path), { recursive: true })
  return join(root, path)
}

/** A cache as Hugging Face's tools leave it. */
function cache(hub: string, refs: Record<string, string>): string {
  const folder = join(hub, 'models--owner--name')
  for (const [ref, commit] of Object.entries(refs)) {
    make(join(folder, 'snapshots', commit))
    make(join(folder, 'refs'))
    writeFileSync(join(root, folder, 'refs', ref), `${commit}\n`)
  }
  return join(root, folder, 'snapshots')
}

const find = (model: string, env: Record<string, string> = {}) =>
  findModel(model, { env, home: join(root, 'home'), mount: root })

test("the platform's store comes first, then its cache, then those of the machine", () => {
  const env = { MODEL_REVISION: 'abc', HF_HUB_CACHE: join(root, 'hub'), HF_HOME: join(root, 'hf') }
  const order = [
    () => cache('home/.cache/huggingface/hub', { main: 'c1' }),
    () => cache('hf/hub', { main: 'c2' }),
    () => cache('hub', { main: 'c3' }),
    () => cache('runpod-volume/huggingface-cache/hub', { main: 'c4' }),
  ]
  order.forEach((put, index) =>
    expect([put(), find('owner/name', env)]).toEqual([
      expect.any(String),
      expect.stringContaining(`/c${index + 1}`),
    ]),
  )
  const staged = make('runpod/model-store/huggingface/owner/name/abc')
  expect(find('owner/name', env)).toBe(staged)
})

test('a revision is a ref or a commit', () => {
  const snapshots = cache('home/.cache/huggingface/hub', { main: 'c1', v2: 'c2' })
  expect(find('owner/name:v2')).toBe(join(snapshots, 'c2'))
  expect(find('owner/name:c1')).toBe(join(snapshots, 'c1'))
})

test('a model that is nowhere: the error lists the folders', () => {
  const error = expect.objectContaining({
    code: 'MODEL_NOT_STAGED',
    message: expect.stringMatching(
      /"owner\/name:v3" is in none of these folders: .*runpod-volume.*, .*home\/\.cache/,
    ),
    hint: expect.stringContaining('owner/name --revision v3'),
  })
  cache('home/.cache/huggingface/hub', { main: 'c1' })
  expect(() => find('owner/name:v3')).toThrow(error)
})

test('a ref to a snapshot that is gone is not found', () => {
  const snapshots = cache('home/.cache/huggingface/hub', { main: 'c1' })
  rmSync(join(snapshots, 'c1'), { recursive: true })
  expect(() => find('owner/name', { HF_HUB_CACHE: '' })).toThrow(
    expect.objectContaining({ code: 'MODEL_NOT_STAGED' }),
  )
})

test('modelPath is looked up when it is read', () => {
  const rest = { signal: new AbortController().signal, endpoint: 'small', log() {} }
  const none = createSetupContext({ ...rest, model: undefined })
  expect(() => none.modelPath).toThrow(
    expect.objectContaining({ code: 'NO_CONTEXT', message: expect.stringContaining('"small" has no model') }),
  )
  const call = {
    jobId: 'j',
    attempt: 1,
    deadline: null,
    progress() {},
    idempotencyKey: undefined,
    refreshWorker() {},
  }
  const context = createContext({ ...rest, ...call, model: 'no-such-owner/no-such-name' })
  expect(() => context.modelPath).toThrow(expect.objectContaining({ code: 'MODEL_NOT_STAGED' }))
  expect(context.jobId).toBe('j')
})
