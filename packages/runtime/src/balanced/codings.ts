import { AppError } from '@flash/protocol'

export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd'

const known: Record<string, Coding> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br' }

/** As `fetch` has it, more are an attack. */
const mostCodings = 5

/** Node's `fetch` reads it since the one that came with Node 24. */
const readsZstd = Number.parseInt(globalThis.process?.versions?.undici ?? '', 10) >= 7

/**
 * What `fetch` takes off a body, in the order in which it was put on. Empty where it leaves the body as it is: it is plain, or
 * one of its codings is unknown.
 */
export function findCodings(headers: Headers): Coding[] {
  const names = headers.get('content-encoding')?.toLowerCase().split(',') ?? []
  const codings = names.map((name) => toCoding(name.trim()))
  if (codings.length > mostCodings || codings.includes(undefined)) return []
  return codings as Coding[]
}

function toCoding(name: string): Coding | undefined {
  return name === 'zstd' && readsZstd ? name : Object.hasOwn(known, name) ? known[name] : undefined
}

/** Why a body cannot be decoded, where it failed with that; `fetch` has it as the cause. */
export function findCodingError(error: unknown): AppError | undefined {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } }
  if (![code, cause?.code].some((one) => typeof one === 'string' && /^(?:Z_|ZSTD_|ERR__ERROR_)/.test(one)))
    return undefined
  return new AppError('TRANSPORT', {
    message: 'the body of the answer is not what its header "content-encoding" says',
    hint: 'look at what compresses it: the handler, the web app, or a proxy in between',
    cause: error,
  })
}
