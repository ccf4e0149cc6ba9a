import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** The keys that workers show, one for each endpoint; nothing has to be remembered for them. */
export interface WorkerKeys {
  of(endpointId: string): string
  /** With or without `Bearer` in front. */
  fits(authorization: string | undefined, endpointId: string): boolean
}

/** Of so many endpoints the key is not computed anew for each request. */
const MOST_KNOWN = 1_000

export function createWorkerKeys(): WorkerKeys {
  const secret = randomBytes(32)
  const known = new Map<string, Buffer>()
  const of = (endpointId: string) => {
    let key = known.get(endpointId)
    if (key === undefined) {
      key = Buffer.from(createHmac('sha256', secret).update(endpointId).digest('base64url'))
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(endpointId, key)
    }
    return key
  }
  return {
    of: (endpointId) => of(endpointId).toString(),
    fits(authorization, endpointId) {
      if (authorization === undefined) return false
      const given = Buffer.from(authorization.replace(/^bearer +/i, ''))
      const wanted = of(endpointId)
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    },
  }
}
