import { inspect } from 'node:util'
import { AppError } from '@flash/protocol'
import type { Authorize } from './authorize.ts'
import { isOrigin } from './cors.ts'
import type { OnError } from './redact-error.ts'

/** What an app says about its production route. */
export interface FlashHandlerOptions {
  /**
   * Decides who may call what. Without it every call is refused with `AUTHORIZE_MISSING`; `'public'` lets everybody in.
   *
   * Asked before the body of a call is read, except for methods of classes, whose names are in it, and for requests to
   * load-balanced endpoints, whose paths are; the request that it gets has no body. What it throws is 500 `INTERNAL`.
   */
  authorize?: 'public' | Authorize
  /**
   * Origins of pages that may call from elsewhere (`https://app.example.com`), which turns on CORS for exactly those.
   * Their calls carry the visitor's cookies for this server, as far as the cookies' own `SameSite` lets them.
   */
  allowedOrigins?: string[]
  /** The largest body of a call; 10_000_000 when omitted. An endpoint's own limit applies besides. */
  maxBodyBytes?: number
  /** Told about every error that browsers get as `INTERNAL`, with the request id that they get; prints it when omitted. */
  onError?: OnError
}

type Check = [is: (value: unknown) => boolean, wanted: string]

const isFunction = (value: unknown) => typeof value === 'function'

const checks: Record<keyof FlashHandlerOptions, Check> = {
  authorize: [(value) => value === 'public' || isFunction(value), `a function, or "public"`],
  allowedOrigins: [
    (value) => Array.isArray(value) && value.every(isOrigin),
    'a list of origins such as "https://app.example.com": each with its scheme, without a path and without wildcards',
  ],
  maxBodyBytes: [
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
    'a number of bytes above 0',
  ],
  onError: [isFunction, 'a function'],
}

/** The options of an app and nothing else; throws `BAD_OPTION` for one that is unknown or wrong, with what is allowed. */
export function parseHandlerOptions(options: object): FlashHandlerOptions {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      throw new AppError('BAD_OPTION', {
        message: `the handler has no option "${name}"`,
        hint: `there are: ${Object.keys(checks).join(', ')}`,
      })
    }
    const [is, wanted] = checks[name as keyof FlashHandlerOptions]
    if (value !== undefined && !is(value)) {
      throw new AppError('BAD_OPTION', {
        message: `the option "${name}" of the handler is ${show(value)}`,
        hint: `give ${wanted}`,
      })
    }
  }
  return { ...options }
}

function show(value: unknown): string {
  return isFunction(value) ? 'a function' : inspect(value, { depth: 1, breakLength: Infinity }).slice(0, 200)
}
