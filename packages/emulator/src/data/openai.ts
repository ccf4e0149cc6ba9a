import type { ServerResponse } from 'node:http'
import { type JobStatus, queueLimits } from '@flash/protocol'
import { type Answer, refusal, toAnswer } from '../http/answer.ts'
import { readBody } from '../http/body.ts'
import { isRecord, parseJson } from '../http/json.ts'
import { signalOf } from '../http/run.ts'
import type { Queue } from '../queue/index.ts'
import type { Visit } from './visit.ts'

/**
 * Makes a job of a request to `/openai/…`: `{ openai_route, openai_input }`, as public vLLM workers read it, and its output
 * the answer.
 *
 * - with `"stream": true` each streamed item is written as it comes: a text as it is, anything else as an event.
 */
export async function passToOpenAi(visit: Visit): Promise<Answer | null> {
  const { endpoint, request, response, rest, limits } = visit
  const bytes = await readBody(request, limits.runSyncBytes)
  const openaiInput = bytes.length > 0 ? parseJson(bytes) : null
  const input = { openai_route: `/${rest.join('/')}`, openai_input: openaiInput }
  const { id } = endpoint.queue.submit({ input, kind: 'runsync' })
  signalOf(response).addEventListener('abort', () => endpoint.queue.cancel(id))
  if (isRecord(openaiInput) && openaiInput.stream === true) return stream(endpoint.queue, id, response)
  const items = collect(endpoint.queue, id)
  const status = await endpoint.queue.wait(id, queueLimits.waitMs.max)
  return toOpenAi(status, items)
}

function stream(queue: Queue, id: string, response: ServerResponse): Promise<Answer | null> {
  return new Promise((resolve) => {
    queue.subscribe(id, (event) => {
      if (event.type === 'item') writeItem(response, event.item)
      if (event.type !== 'end') return
      if (!response.headersSent) return resolve(toOpenAi(event.status, []))
      response.end()
      resolve(null)
    })
  })
}

function writeItem(response: ServerResponse, item: unknown): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(typeof item === 'string' ? item : `data: ${JSON.stringify(item)}\n\n`)
}

/** Items of a worker that streams although nobody asked for it. */
function collect(queue: Queue, id: string): unknown[] {
  const items: unknown[] = []
  queue.subscribe(id, (event) => {
    if (event.type === 'item') items.push(event.item)
  })
  return items
}

function toOpenAi(status: JobStatus | undefined, items: unknown[]): Answer {
  if (status?.status === 'COMPLETED') return toAnswer(unwrap(status.output, items))
  if (status?.error !== undefined) return refusal(500, status.error)
  return refusal(504, `the job ended without a result: ${status?.status ?? 'gone'}`)
}

/** A generator's output is a list, and empty when its items were only streamed. */
function unwrap(output: unknown, items: unknown[]): unknown {
  const list = Array.isArray(output) && output.length === 0 ? items : output
  return Array.isArray(list) && list.length === 1 ? list[0] : list
}
