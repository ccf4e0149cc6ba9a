import { RemoteError } from '@flash/protocol'
import type { CallOptions, Target } from './types.ts'

const pageOptions = ['signal', 'timeoutMs', 'idempotencyKey']

/** Refuses in a browser what only a server may ask for. */
export function checkOptions(options: CallOptions, target: Target): void {
  if (target.server) return
  const name = Object.keys(toFields(options)).find((name) => !pageOptions.includes(name))
  if (name) throw serverOnly(`the option "${name}"`)
}

export function serverOnly(what: string): RemoteError {
  return new RemoteError('OPTION_SERVER_ONLY', `${what} is not available in a browser`, {
    hint: 'use it in code that runs on a server',
  })
}

/** The options that travel. */
export function toFields({ signal: _signal, ...options }: CallOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
