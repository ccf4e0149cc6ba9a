import { AppError } from '@flash/protocol'
import type { BodyOptions, RunOptions } from './types.ts'

const ofJob: Record<keyof RunOptions, true> = {
  signal: true,
  timeoutMs: true,
  executionTimeoutMs: true,
  ttlMs: true,
  lowPriority: true,
  webhook: true,
  s3Config: true,
}

const ofRequest: Record<keyof BodyOptions, true> = {
  query: true,
  body: true,
  headers: true,
  signal: true,
  timeoutMs: true,
}

/** Throws `BAD_REQUEST` for an option that nothing heeds. `label`: what messages call the endpoint. */
export function checkJobOptions(label: string, options: RunOptions): void {
  check(`endpoint "${label}": a job`, options, ofJob)
}

/** The same for a request. */
export function checkRequestOptions(label: string, options: BodyOptions): void {
  check(`endpoint "${label}": a request`, options, ofRequest)
}

function check(what: string, options: object, known: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue
    throw new AppError('BAD_REQUEST', {
      message: `${what} has no option "${name.slice(0, 64)}"`,
      hint: `there are: ${Object.keys(known).join(', ')}`,
    })
  }
}
