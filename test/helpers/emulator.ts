import { createEmulator, type Emulator, type EmulatorOptions } from '@flash/emulator/runpod'
import { recordRequests, type Recorder } from './requests.ts'

/** A Runpod of this machine, and what its clients asked of it. */
export interface WatchedEmulator {
  emulator: Emulator
  requests: Recorder
  /** All endpoints, as the account shows them. */
  listEndpoints(): Promise<ShownEndpoint[]>
  /** Answers of the account, or of an endpoint: `/v2/{id}/status/{job}`. */
  get(path: string): Promise<unknown>
  close(): Promise<void>
}

interface ShownEndpoint {
  id: string
  name: string
  [field: string]: unknown
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<WatchedEmulator> {
  const requests = recordRequests()
  const emulator = await createEmulator(options)
  // Also with TLS, plain HTTP is answered at the same port.
  const origin = `http://127.0.0.1:${new URL(emulator.url).port}`
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${emulator.env.RUNPOD_API_KEY}` }
    const response = await fetch(`${origin}${path}`, { headers })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  return {
    emulator,
    requests,
    listEndpoints: async () => ((await get('/v2/serverless')) as { endpoints: ShownEndpoint[] }).endpoints,
    get,
    async close() {
      requests.stop()
      await emulator.close()
    },
  }
}
