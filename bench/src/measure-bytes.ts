import { createPayload, describeBytes } from './payload.ts'

/** The two functions of the measured app, as a page or a program has them. */
export interface BytesStubs {
  up(bytes: Uint8Array): Promise<string>
  down(): Promise<Uint8Array>
}

/** Milliseconds of each sample; the four ways take turns. */
export type BytesTimes = Record<'plainUp' | 'flashUp' | 'plainDown' | 'flashDown', number[]>

const warmUps = 5

/** Runs in Node and in a page alike: `bare` is the origin of the plain server. */
export async function measureBytes(stubs: BytesStubs, bare: string, samples: number): Promise<BytesTimes> {
  const payload = createPayload()
  const wanted = describeBytes(payload)
  const ways: Record<keyof BytesTimes, () => Promise<string>> = {
    plainUp: async () => (await postBare(bare, 'up', payload)).text(),
    flashUp: () => stubs.up(payload),
    plainDown: async () => describeBytes(new Uint8Array(await (await postBare(bare, 'down')).arrayBuffer())),
    flashDown: async () => describeBytes(await stubs.down()),
  }
  const times: BytesTimes = { plainUp: [], flashUp: [], plainDown: [], flashDown: [] }
  for (let round = -warmUps; round < samples; round++) {
    for (const [name, run] of Object.entries(ways) as [keyof BytesTimes, () => Promise<string>][]) {
      const started = performance.now()
      const got = await run()
      if (round >= 0) times[name].push(performance.now() - started)
      if (got !== wanted) throw new Error(`${name} carried ${got} instead of ${wanted}`)
    }
  }
  return times
}

/** What a page would write without a library. */
export function postBare(
  origin: string,
  way: 'up' | 'down',
  body?: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  return fetch(`${origin}/bare/${way}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/octet-stream' },
  })
}
