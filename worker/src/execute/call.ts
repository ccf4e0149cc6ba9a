import { type ReadInput } from '@flash/protocol'
import { findMethod, type InstanceHold } from './class.ts'
import {
  attachHops,
  contextStorage,
  createContext,
  createLog,
  createSetupContext,
  type FunctionContext,
} from './context.ts'
import { type Definition, isClass } from './definition.ts'
import { type RunResult, runFunction } from './function.ts'
import { checkInput, checkOutput } from './schema.ts'
import type { SetupHold } from './setup.ts'
import { attachWorker, type Worker } from './worker.ts'

/** One function of a module. */
export interface Callee {
  id: string
  definition: Definition
}

/** What a call gets besides its input, and where its words go. */
export interface CallScope extends Pick<FunctionContext, 'signal' | 'jobId' | 'attempt' | 'deadline'> {
  idempotencyKey?: string
  /** How many calls of endpoints led to this one. */
  hops?: number
  /** Rejects when nobody waits for the function any more, although it still runs. */
  abandoned?: Promise<never>
  progress(value: unknown): void
  refreshWorker(): void
  log(text: string): void
  /** Tells by which context the output of this call is known. */
  onContext?(context: FunctionContext): void
  /** Input and state are there; the function begins. */
  onStarted?(): void
  /** Awaited before the function is asked for more. */
  onItem(value: unknown): unknown
}

/** What a call runs: a function, or a method of an instance. */
export interface CallTarget extends Pick<ReadInput, 'callable' | 'args' | 'construct'> {
  /** Stands for the constructor arguments. */
  instanceKey: string
}

/**
 * Runs one call: checks its input, waits for the state, runs the function in its context, checks what it gives.
 *
 * - throws what the function throws, `BAD_INPUT`, `OUTPUT_INVALID`, `SETUP_FAILED`, and `signal.reason` after an abort.
 */
export async function runCall(
  worker: Worker,
  callee: Callee,
  target: CallTarget,
  scope: CallScope,
): Promise<RunResult> {
  const { config } = callee.definition
  scope.signal.throwIfAborted()
  const args = await checkArguments(callee, target)
  const held = await acquireState(worker, callee, scope.signal)
  const instance: { hold?: InstanceHold } = {}
  try {
    scope.signal.throwIfAborted()
    scope.onStarted?.()
    const given = held && !isClass(callee.definition.body) ? [args[0], held.state] : args
    const onItem = config.output === undefined ? scope.onItem : checkedItems(config.output, scope)
    const begin = () => start(worker, callee, { ...target, args: given }, instance)
    const context = contextOf(worker, callee, scope)
    scope.onContext?.(context)
    const run = contextStorage().run(context, () => runFunction(begin, { signal: scope.signal, onItem }))
    const result = await (scope.abandoned ? Promise.race([run, scope.abandoned]) : run)
    return await checkResult(result, config.output)
  } finally {
    instance.hold?.release()
    held?.release()
  }
}

/** Runs only `setup`. */
export async function warm(worker: Worker, callee: Callee, signal: AbortSignal): Promise<void> {
  const held = await acquireState(worker, callee, signal)
  held?.release()
}

export async function checkArguments(
  { definition }: Callee,
  { args }: Pick<CallTarget, 'args'>,
): Promise<unknown[]> {
  const { config, body } = definition
  if (config.input === undefined || isClass(body)) return args
  return [await checkInput(config.input, args[0])]
}

export async function acquireState(
  worker: Worker,
  { id, definition }: Callee,
  signal: AbortSignal,
): Promise<SetupHold | null> {
  const { setup, model } = definition.config
  if (typeof setup !== 'function') return null
  const { endpoint } = worker
  const make = (signal: AbortSignal) => {
    const log = createLog((text) => worker.write('stdout', text))
    const context = attachWorker(createSetupContext({ signal, endpoint, log, model }), worker)
    return contextStorage().run(context, () => setup())
  }
  const { slot, version } = worker.setupPlace(id, setup)
  return worker.setups.acquire({ slot, version, endpoint, make, signal })
}

function start(
  worker: Worker,
  { id, definition }: Callee,
  target: CallTarget,
  instance: { hold?: InstanceHold },
): unknown {
  const { body } = definition
  const { args, callable, construct, instanceKey: key } = target
  if (!isClass(body)) return (body as (...args: unknown[]) => unknown)(...args)
  const method = findMethod(body, callable)
  const limit = worker.instanceLimit
  instance.hold = worker.instances.acquire({ id, Class: body, key, limit, args: construct })
  return method.apply(instance.hold.instance, args)
}

function contextOf(worker: Worker, { definition }: Callee, scope: CallScope): FunctionContext {
  const { signal, jobId, attempt, deadline, idempotencyKey, progress, refreshWorker } = scope
  const context = createContext({
    signal,
    jobId,
    attempt,
    deadline,
    endpoint: worker.endpoint,
    log: createLog(scope.log),
    progress,
    idempotencyKey,
    refreshWorker,
    model: definition.config.model,
  })
  return attachHops(attachWorker(context, worker), scope.hops)
}

function checkedItems(schema: unknown, { onItem }: CallScope): CallScope['onItem'] {
  return async (value) => onItem(await checkOutput(schema, value))
}

async function checkResult(result: RunResult, schema: unknown): Promise<RunResult> {
  if (result.kind === 'stream' || schema === undefined) return result
  return { kind: 'value', value: await checkOutput(schema, result.value) }
}

/** Two calls with the same constructor arguments, as they came over the wire, share an instance. */
export function instanceKeyOf(construct: readonly unknown[] | string | undefined): string {
  const text = typeof construct === 'string' ? construct : JSON.stringify(construct ?? [])
  if (text.length <= 128) return text
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('base64')
}
