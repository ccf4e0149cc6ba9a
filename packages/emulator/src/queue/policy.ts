import { AppError, queueLimits } from '@flash/protocol'
import type { JobLimits } from './types.ts'

const limits = { executionTimeout: queueLimits.executionTimeoutMs, ttl: queueLimits.ttlMs } as const

/**
 * The `policy` of a submitted job.
 *
 * - `executionTimeout`: 5 s to 7 days; `ttl`: 10 s to 7 days; both in milliseconds. `lowPriority`: true or false.
 * - throws `BAD_REQUEST` naming field, value and what is allowed. Other fields are left alone.
 *
 * Source: Runpod docs, Serverless, Send API requests, Execution policies.
 */
export function parsePolicy(raw: unknown): JobLimits {
  if (raw === undefined || raw === null) return {}
  if (typeof raw !== 'object' || Array.isArray(raw)) throw badPolicy('policy', raw, 'an object')
  const { executionTimeout, ttl, lowPriority } = raw as Record<string, unknown>
  if (lowPriority !== undefined && typeof lowPriority !== 'boolean') {
    throw badPolicy('policy.lowPriority', lowPriority, 'true or false')
  }
  return {
    executionTimeoutMs: parseSpan('executionTimeout', executionTimeout),
    ttlMs: parseSpan('ttl', ttl),
    lowPriority,
  }
}

function parseSpan(field: keyof typeof limits, value: unknown): number | undefined {
  if (value === undefined) return undefined
  const { min, max } = limits[field]
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw badPolicy(`policy.${field}`, value, `whole milliseconds from ${min} to ${max}`)
}

function badPolicy(field: string, value: unknown, wanted: string): AppError {
  return new AppError('BAD_REQUEST', {
    message: `${field} is ${JSON.stringify(value)}, it must be ${wanted}`,
    hint: 'correct the field or leave it out',
  })
}
