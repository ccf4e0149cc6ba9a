import { decodeInline, type FromWorker, fromWireError, type ToWorker } from '@flash/protocol'
import type { Conversation } from './channel.ts'

type RequestName = Extract<FromWorker, { t: 'request' }>['name']

/** Asks the dev server for something only it has. */
export type Ask = (name: RequestName, data: unknown[]) => Promise<unknown>

export function createRequests(say: Conversation['say']) {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  const ask: Ask = (name, data) =>
    new Promise((resolve, reject) => {
      const request = ++last
      waiting.set(request, { resolve, reject })
      say({ t: 'request', request, name, data })
    })
  return {
    ask,
    answer({ request, ok, error }: Extract<ToWorker, { t: 'reply' }>) {
      const asked = waiting.get(request)
      waiting.delete(request)
      if (error) asked?.reject(fromWireError(error, decodeInline))
      else asked?.resolve(ok)
    },
  }
}
