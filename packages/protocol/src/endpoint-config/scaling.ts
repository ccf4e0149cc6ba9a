import type { Problems } from './problems.ts'
import { describeWhole, type Reader, readObject } from './reader.ts'
import type { Scaling } from './types.ts'

const what = '{ by: "queueDelay", seconds } or { by: "requestCount", requests }'

export function parseScaling(problems: Problems, parent: Reader, kind: 'queue' | 'balanced'): Scaling {
  const usual: Scaling =
    kind === 'queue' ? { by: 'queueDelay', seconds: 4 } : { by: 'requestCount', requests: 4 }
  if (!parent.has('scaling')) return usual
  const value = parent.raw('scaling')
  const by = signalOf(value)
  if (by === undefined) {
    parent.refuse('scaling', `is not allowed; ${what} is`)
    return usual
  }
  const keys = ['by', by === 'queueDelay' ? 'seconds' : 'requests']
  const reader = readObject(problems, value, [...parent.path, 'scaling'], { what, keys })!
  if (by === 'requestCount') return { by, requests: parseRequests(reader) }
  if (kind === 'balanced') {
    parent.refuse(
      'scaling',
      'is not allowed; a load-balanced endpoint has no queue, { by: "requestCount", requests } is',
    )
  }
  return { by, seconds: parseSeconds(reader) }
}

function signalOf(value: unknown): Scaling['by'] | undefined {
  const by = typeof value === 'object' && value !== null && 'by' in value ? value.by : undefined
  return by === 'queueDelay' || by === 'requestCount' ? by : undefined
}

function parseRequests(reader: Reader): number {
  if (!reader.has('requests'))
    reader.refuse('requests', `is missing; ${describeWhole({ min: 1 })} is allowed`)
  return reader.whole('requests', { min: 1 }, 4)
}

function parseSeconds(reader: Reader): number {
  const value = reader.raw('seconds')
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0.5) return value
  reader.refuse(
    'seconds',
    `is ${value === undefined ? 'missing' : 'not allowed'}; a number from 0.5 on is allowed`,
  )
  return 4
}
