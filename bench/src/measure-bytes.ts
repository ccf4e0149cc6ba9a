import { createPayload, describeBytes } from './payload.ts'

/** The two functions of the measured app, as a page or a program has them. */
export interface BytesStubs {
  up(bytes: Uint8Array): Promise<string>
  down(): Promise<Uint8Array>
}

type Way = 'plainUp' | 'flashUp' | 'plainDown' | 'flashDown'

/** A call each way and by each means; resolves to what arrived. */
export type Ways = Record<Way, () => Promise<string>>

/** Milliseconds of each sample; the four ways take turns. */
export type BytesTimes = Record<Way, number[]>

const warmUps = 5

/** Works in Node and in a page alike; `bare` is the origin of the plain server. */
export function createWays(stubs: BytesStubs, bare: string): Ways {
  const payload = createPayload()
  const post = (way: 'up' | 'down', body?: Uint8Array<ArrayBuffer>) =>
    fetch(`${bare}/bare/${way}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    })
  return {
    plainUp: async () => (await post('up', payload)).text(),
    flashUp: () => stubs.up(payload),
    plainDown: async () => describeBytes(new Uint8Array(await (await post('down')).arrayBuffer())),
    flashDown: async () => describeBytes(await stubs.down()),
  }
}

export async function measureBytes(ways: Ways, samples: number): Promise<BytesTimes> {
  const wanted = describeBytes(createPayload())
  const times: BytesTimes = { plainUp: [], flashUp: [], plainDown: [], flashDown: [] }
  for (let round = -warmUps; round < samples; round++) {
    for (const [name, run] of Object.entries(ways) as [Way, () => Promise<string>][]) {
      const started = performance.now()
      const got = await run()
      if (round >= 0) times[name].push(performance.now() - started)
      if (got !== wanted) throw new Error(`${name} carried ${got} instead of ${wanted}`)
    }
  }
  return times
}
