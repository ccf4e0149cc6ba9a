import { AppError, type RouteParams, systemClock } from '@flash/protocol'
import type { Reply, Visit } from '../balanced/visit.ts'
import { acquireState, type Callee } from '../execute/call.ts'
import { contextStorage, type FunctionContext } from '../execute/context.ts'
import type { RouteOptions } from '../execute/definition.ts'
import type { RequestPart } from '../execute/schema.ts'
import type { SetupHold } from '../execute/setup.ts'
import type { Worker } from '../execute/worker.ts'
import { readBody, readCheckedBody } from './body.ts'
import { Input, type Parts } from './input.ts'
import { type Fields, readFields, toFields } from './parts.ts'
import { reportFailure } from './report.ts'
import { type ResultOptions, toReply } from './result.ts'
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
  const made = readParts(worker, callee, visit, params)
  // What is here already is not waited for: each turn that a request waits costs as much as a small handler.
  const parts = made instanceof Promise ? await made : made
  if (parts.body instanceof Promise) parts.body = await parts.body
  const held = callee.definition.config.setup === undefined ? null : await acquire(worker, callee, visit)
  try {
    if (visit.isOver) visit.signal.throwIfAborted()
    const run = new RouteRun(worker, callee, visit, held)
    const given = run.start(handlerOf(callee), new Input(visit, parts, held?.state))
    const reply = toReply(isThenable(given) ? await given : given, run)
    return reply instanceof Promise ? await reply : reply
  } catch (error) {
    held?.release()
    throw error
  }
}

/** A handler at work, and what its answer wants to know of it. */
class RouteRun implements ResultOptions {
  readonly schema: unknown
  readonly onEnd: (() => void) | undefined
  readonly #worker: Worker
  readonly #visit: Visit
  readonly #context: FunctionContext

  constructor(worker: Worker, callee: Callee, visit: Visit, held: SetupHold | null) {
    this.schema = optionsOf(callee).response
    this.onEnd = held?.release
    this.#worker = worker
    this.#visit = visit
    this.#context = createRequestContext(worker, callee, visit)
  }

  start(handler: Handler, input: Input): unknown {
    return contextStorage().run(this.#context, handler, input)
  }

  within<T>(step: () => T): T {
    return contextStorage().run(this.#context, step)
  }

  get requestId(): string {
    return this.#visit.id
  }

  onError(error: unknown): void {
    reportFailure(this.#worker, this.#visit, error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (Object(value) as PromiseLike<unknown>).then === 'function'
}

async function acquire(worker: Worker, callee: Callee, { signal }: Visit): Promise<SetupHold | null> {
  return withGrace(await acquireState(worker, callee, signal), signal)
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
  return definition.route?.options ?? none
}

function handlerOf({ definition: { body, route } }: Callee): Handler {
  if (typeof body === 'function') return body as Handler
  throw new AppError('BAD_ROUTE', {
    message: `the handler of ${route?.method} ${route?.path} is no function`,
    hint: 'write the handler as the second argument of the route',
  })
}

const none: RouteOptions = {}

/** Without schemas at once, with a body that is still to come. */
function readParts(worker: Worker, callee: Callee, visit: Visit, given: RouteParams): Parts | Promise<Parts> {
  const { params, query, body } = optionsOf(callee)
  const fields = visit.search === '' ? {} : toFields(new URLSearchParams(visit.search))
  if (params !== undefined || query !== undefined || body !== undefined)
    return readChecked(worker, callee, visit, given, fields)
  return { params: given, query: fields, body: readBody(visit) }
}

async function readChecked(
  worker: Worker,
  callee: Callee,
  visit: Visit,
  given: RouteParams,
  fields: Fields,
): Promise<Parts> {
  const { params, query, body } = optionsOf(callee)
  const onUntold = (part: RequestPart) => tellUntold(worker, callee, part)
  return {
    params: params === undefined ? given : await readFields('params', given, params, onUntold),
    query: query === undefined ? fields : await readFields('query', fields, query, onUntold),
    body: await (body === undefined ? readBody(visit) : readCheckedBody(visit, body, onUntold)),
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
