import { RESULT_HEADER } from '@flash/protocol'
import type { RpcCaller } from '../envelope.ts'

/** Headers between two neighbours on the way, those about the connection, and those that every sender works out anew. */
const ofTheConnection =
  /^(?:accept-encoding|connection|content-length|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/

/** What the platform knows caller and worker by, and what we tell each other. */
const ofTheRoute = /^(?:x-flash-.*|x-flash|x-runpod-.*)$/

/** What browsers and proxies say by themselves, so that whoever reads it believes it, and what is between page and server. */
const ofBrowsers = /^(?:authorization|cookie2?|origin|referer|sec-.*|via|forwarded|x-forwarded-.*|x-real-ip)$/

/** The headers of a request that reach the endpoint. */
export function toSentHeaders(headers: Headers, caller: RpcCaller): Headers {
  return pick(
    headers,
    (name) =>
      !ofTheConnection.test(name) &&
      !ofTheRoute.test(name) &&
      !(caller.kind === 'page' && ofBrowsers.test(name)),
  )
}

/** The headers of an answer that reach its caller. */
export function toAnsweredHeaders(headers: Headers, caller: RpcCaller): Headers {
  return pick(headers, (name) => {
    if (name === RESULT_HEADER || name === 'content-length') return true
    if (ofTheConnection.test(name)) return false
    return caller.kind === 'server' || !(/^set-cookie2?$/.test(name) || ofTheRoute.test(name))
  })
}

function pick(headers: Headers, isWanted: (name: string) => boolean): Headers {
  const picked = new Headers()
  for (const [name, value] of headers) if (isWanted(name)) picked.append(name, value)
  return picked
}
