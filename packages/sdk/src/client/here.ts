import { AppError, RemoteError } from '@flash/protocol'
import type { LocalPlace } from '@flash/runtime/server'
import type { ClientAddress, Use } from './call.ts'

/** What a dev server is asked to run. */
export interface ImageHere {
  name: string
  /** As the author wrote it, without code. */
  config: object
}

/**
 * Where the dev server of this machine runs an image; it starts it when nobody did, however long that takes.
 *
 * - `signal`: ends the waiting; the container goes on to start.
 * - throws what the dev server says: `NEEDS_DOCKER`, `IMAGE_FAILED`, `ENV_MISSING`, `BAD_CONFIG`; `TRANSPORT` without an answer.
 */
export async function findHere(
  place: LocalPlace,
  { name, config }: ImageHere,
  use: Use,
  signal: AbortSignal | undefined,
): Promise<ClientAddress> {
  for (let again = false; ; again = true) {
    signal?.throwIfAborted()
    const response = await ask(place, name, JSON.stringify({ use, config, again }), signal)
    const answer = await response.json().catch(() => ({}))
    if (response.status === 202) continue
    if (!response.ok) throw toError(name, response.status, answer)
    const { url, key } = answer as { url: string; key: string }
    return {
      endpoint: name,
      url,
      key,
      place: 'Docker on this machine',
      hint: 'look at what its container printed',
    }
  }
}

async function ask(
  place: LocalPlace,
  name: string,
  body: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const init = { method: 'POST', body, signal, headers: { 'content-type': 'application/json' } }
  if ('fetch' in place) return place.fetch(new Request('http://localhost/images', init))
  const headers = { ...init.headers, authorization: `Bearer ${place.token}` }
  try {
    return await fetch(`${place.url.replace(/\/+$/, '')}/images`, { ...init, headers })
  } catch (cause) {
    throw new AppError('TRANSPORT', {
      message: `endpoint "${name}": the development server gave no answer`,
      hint: 'look whether it still runs, and start it again',
      cause,
    })
  }
}

function toError(name: string, status: number, answer: Record<string, unknown>): Error {
  const { code, message, hint, data } = answer
  if (typeof code !== 'string' || typeof message !== 'string') {
    return new AppError('TRANSPORT', {
      message: `endpoint "${name}": the development server answered ${status}, and does not say why`,
      hint: 'restart it: it may be of another version',
    })
  }
  return new RemoteError(code, message, { hint: typeof hint === 'string' ? hint : undefined, data })
}
