import {
  type CallableFact,
  decodeValue,
  FrameType,
  type Message,
  type ParamFact,
  type ServerFunction,
} from '@flash/protocol'
import type { RpcJob } from '../backend.ts'

const plain = (name: string, optional = false): ParamFact => ({ name, kind: 'plain', optional })

function callable(name: string, kind: CallableFact['kind'], ...params: ParamFact[]): CallableFact {
  return { name, kind, params }
}

function fact(id: string, endpoint: string, given: Partial<ServerFunction>): ServerFunction {
  return {
    id,
    endpoint,
    exportPath: id,
    kind: 'function',
    callables: [],
    constructorParams: null,
    hasInput: false,
    setup: null,
    ...given,
  }
}

/** One function of each kind, and endpoints of one kind and of both. */
export const functions = {
  read: fact('read', 'values', {
    callables: [callable('read', 'function', plain('text'), plain('n', true))],
  }),
  count: fact('count', 'streams', {
    kind: 'generator',
    callables: [callable('count', 'generator', plain('to'))],
  }),
  model: fact('model', 'mixed', {
    kind: 'class',
    exportPath: 'Model',
    constructorParams: [plain('size')],
    callables: [callable('load', 'function'), callable('tokens', 'generator', plain('to'))],
  }),
} as const

/** What a message carries, and what it is called. */
export function open({ type, rich, text, parts }: Message): [string, unknown] {
  const [name] = Object.entries(FrameType).find(([, value]) => value === type)!
  return [name, text === '' ? undefined : decodeValue(rich, text, parts, { direction: 'out' })]
}

/** Everything a job says until its last word. */
export function hear(job: RpcJob, from = 0): Promise<[string, any][]> {
  const heard: [string, any][] = []
  return new Promise((resolve) => {
    job.listen(from, (message) => {
      heard.push(open(message))
      if (['value', 'error', 'end'].includes(heard.at(-1)![0])) resolve(heard)
    })
  })
}

/** The last word of a job. */
export async function lastOf(job: RpcJob, from = 0): Promise<[string, any]> {
  return (await hear(job, from)).at(-1)!
}
