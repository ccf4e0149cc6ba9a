import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError } from '@flash/protocol'
import { build } from 'vite'
import { afterEach, describe, expect, test } from 'vitest'
import * as sdk from './index.ts'
import {
  type FlashContext,
  getContext,
  GlobalVolume,
  NetworkVolume,
  PodTemplate,
  RemoteError,
  remote,
  unchecked,
} from './index.ts'

test('remote() without the plugin says how to add it', () => {
  const call = () => remote({ name: 'alone' }, async () => 1)
  expect(call).toThrow(AppError)
  expect(call).toThrow(expect.objectContaining({ code: 'PLUGIN_MISSING' }))
  expect(call).toThrow(/add flash\(\) from 'unplugin-flash\/vite'/)
})

test('unchecked() gives back what it gets', () => {
  const body = async (run: () => void) => run()
  expect(unchecked(body)).toBe(body)
})

test('volumes and templates are plain data', () => {
  expect(NetworkVolume({ name: 'models', sizeGb: 50 })).toEqual({
    kind: 'network',
    name: 'models',
    sizeGb: 50,
  })
  expect(GlobalVolume({ id: 'abc' })).toEqual({ kind: 'global', id: 'abc' })
  expect(PodTemplate({ image: 'a/b:1' })).toEqual({ kind: 'template', image: 'a/b:1' })
})

test('what is exported at run time', () => {
  expect(Object.keys(sdk).sort()).toEqual([
    'CpuInstance',
    'CudaVersion',
    'DataCenter',
    'GlobalVolume',
    'GpuGroup',
    'GpuType',
    'NetworkVolume',
    'PodTemplate',
    'RemoteError',
    'endpoint',
    'getContext',
    'onMetric',
    'remote',
    'unchecked',
  ])
})

describe('getContext()', () => {
  const key = Symbol.for('unplugin-flash.context')
  const shared = globalThis as { [key]?: AsyncLocalStorage<FlashContext> }
  const before = shared[key]
  afterEach(() => {
    if (before) shared[key] = before
    else delete shared[key]
  })

  test('is what the worker keeps for the running call, after an await too', async () => {
    shared[key] = new AsyncLocalStorage()
    const context = { jobId: 'job-1' } as FlashContext
    await shared[key].run(context, async () => {
      expect(getContext()).toBe(context)
      await Promise.resolve()
      expect(getContext().jobId).toBe('job-1')
    })
  })

  test('throws where there is no call and where there is no worker', () => {
    delete shared[key]
    expect(getContext).toThrow(expect.objectContaining({ name: 'AppError', code: 'NO_CONTEXT' }))
    shared[key] = new AsyncLocalStorage()
    expect(getContext).toThrow(/no remote function is running/)
  })
})

test('a page that throws a RemoteError gets only that, and nothing of Node', async () => {
  const entry = 'virtual:page'
  const code = `import { RemoteError } from ${JSON.stringify(new URL('index.ts', import.meta.url).pathname)}
    globalThis.page = new RemoteError('A', 'b')`
  const output = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === entry ? entry : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
    build: { write: false, minify: true, rolldownOptions: { input: entry } },
  })
  const chunks = (output as { output: { code?: string; imports?: string[] }[] }).output
  expect(chunks).toHaveLength(1)
  expect(chunks[0]!.imports).toEqual([])
  expect(chunks[0]!.code).not.toMatch(/PLUGIN_MISSING|GeForce|unplugin-flash|node:/)
  expect(new RemoteError('A', 'b')).toMatchObject({ name: 'RemoteError', code: 'A', message: 'b' })
})
