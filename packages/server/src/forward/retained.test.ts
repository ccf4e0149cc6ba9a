import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { encodeMessage, FrameType } from '@flash/protocol'
import { createCapability } from '../capability.ts'
import { createForwardBackend } from '../forward.ts'
import { createRpcHandler } from '../rpc.ts'
import { functions } from '../testing/jobs.ts'
import { json } from '../testing/production.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function retainedBytes(): Promise<number> {
  // What timers and promises of the last turn hold is let go of in the next.
  for (let n = 0; n < 3; n++) {
    await new Promise(setImmediate)
    collect()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test.each([
  ['waited for', false],
  ['begun with .run()', true],
])('results of jobs that were %s are not kept', async (_what, run) => {
  const resultBytes = 2_000_000
  let jobs = 0
  const answer = () => ({ id: `j${jobs++}`, status: 'COMPLETED', output: `${jobs}`.padEnd(resultBytes, '.') })
  const backend = createForwardBackend({
    facts: { app: 'shop', prefix: '/_flash', functions: Object.values(functions) },
    env: { FLASH_ENDPOINT_VALUES: 'http://queue.test/v2/abc' },
    findDev: () => undefined,
    findBundles: () => undefined,
    fetch: async () => Response.json(answer()),
  })
  const handle = createRpcHandler({ backend, capability: createCapability(new Uint8Array(32)) })
  const call = async (idempotencyKey: string) => {
    const request = new Request('http://app.test/_flash/rpc/read', {
      method: 'POST',
      headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' },
      body: encodeMessage(json(FrameType.call, { args: [idempotencyKey], idempotencyKey, run })),
    })
    const answer = await handle(request, 'read', { kind: 'server', subject: null })
    const { byteLength } = await answer.arrayBuffer()
    expect(byteLength > resultBytes).toBe(!run)
  }
  await call('warm up')
  const before = await retainedBytes()
  for (let n = 0; n < 40; n++) await call(`key ${n}`)
  expect((await retainedBytes()) - before).toBeLessThan(4 * resultBytes)
  expect(jobs).toBe(41)
})
