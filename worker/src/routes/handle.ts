import { AppError, type RouteParams, systemClock } from '@flash/protocol'
import type { Reply, Visit } from '../balanced/visit.ts'
import { acquireState, type Callee } from '../execute/call.ts'
import { contextStorage } from '../execute/context.ts'
import type { RouteOptions } from '../execute/definition.ts'
import type { RequestPart } from '../execute/schema.ts'
import type { SetupHold } from '../execute/setup.ts'
import type { Worker } from '../execute/worker.ts'
import { readBody } from './body.ts'
import { isWorkersFault } from './failure.ts'
import { Input } from './input.ts'
import { readFields, toFields } from './parts.ts'
import { toReply } from './result.ts'
import { createRequestContext } from './scope.ts'

type Handler = (input: Input) => unknown

/**
 * Answers a request by one route.
 *
 * - `params`: of the path, as text.
 * - throws what the handler throws, `BAD_REQUEST`, `BAD_INPUT`, `OUTPUT_INVALID`, `SETUP_FAILED`.
 */
export async function handleRoute(
  worker: Worker,
  callee: Callee,
  visit: Visit,
  params: RouteParams,
): Promise<Reply> {
  const { signal } = visit
  const parts = await readParts(worker, callee, visit, params)
  const hasState = callee.definition.config.setup !== undefined
  const held = hasState ? withGrace(await acquireState(worker, callee, signal), signal) : null
  const context = createRequestContext(worker, callee, visit)
  const within = <T>(step: () => T): T => contextStorage().run(context, step)
  try {
    signal.throwIfAborted()
    const input = new Input(visit, parts, held?.state)
    const result = await within(() => handlerOf(callee)(input))
    return await toReply(result, {
      schema: optionsOf(callee).response,
      within,
      onError(error) {
        if (isWorkersFault(error) && !signal.aborted) worker.report(error)
      },
      ...(held && { onEnd: held.release }),
    })
  } catch (error) {
    held?.release()
    throw error
  }
}

/** How long a handler whose request is over may go on using its state. */
const GRACE_MS = 1_000

/** A handler that does not end must not keep a state for ever. */
function withGrace(held: SetupHold | null, signal: AbortSignal): SetupHold | null {
  if (!held) return null
  let withdraw = () => {}
  const expire = () => (withdraw = systemClock.after(GRACE_MS, held.release))
  signal.addEventListener('abort', expire, { once: true })
  const release = () => {
    signal.removeEventListener('abort', expire)
    withdraw()
    held.release()
  }
  return { state: held.state, release }
}

function optionsOf({ definition }: Callee): RouteOptions {
  return definition.route?.options ?? {}
}

function handlerOf({ definition: { body, route } }: Callee): Handler {
  if (typeof body === 'function') return body as Handler
  throw new AppError('BAD_ROUTE', {
    message: `the handler of ${route?.method} ${route?.path} is no function`,
    hint: 'write the handler as the second argument of the route',
  })
}

async function readParts(worker: Worker, callee: Callee, visit: Visit, given: RouteParams) {
  const { params, query, body } = optionsOf(callee)
  const onUntold = (part: RequestPart) => tellUntold(worker, callee, part)
  const fields = visit.search === '' ? {} : toFields(new URLSearchParams(visit.search))
  return {
    params: params === undefined ? given : await readFields('params', given, params, onUntold),
    query: query === undefined ? fields : await readFields('query', fields, query, onUntold),
    body: await readBody(visit, body, onUntold),
  }
}

const told = new WeakMap<Worker, Set<string>>()

/** Once for each route, and each of its schemas. */
function tellUntold(worker: Worker, { definition: { route } }: Callee, part: RequestPart): void {
  const name = `${route?.method} ${route?.path}`
  const known = told.get(worker) ?? new Set()
  told.set(worker, known)
  if (known.has(`${part} ${name}`)) return
  known.add(`${part} ${name}`)
  worker.write(
    'stderr',
    `SCHEMA_NOT_COERCED: the schema of "${part}" of ${name} does not tell its JSON Schema, so it gets text: numbers, booleans and lists are not made of it\n  convert them in the schema; valibot's are told by toStandardJsonSchema() of @valibot/to-json-schema\n`,
  )
}
