import { AppError } from '@flash/protocol'
import type { Callee } from '../execute/call.ts'
import { contextStorage, createLog, createSetupContext } from '../execute/context.ts'
import type { Definition } from '../execute/definition.ts'
import { dispose, isDisposable } from '../execute/dispose.ts'
import { attachWorker, type Worker } from '../execute/worker.ts'

/** A whole web app: Hono, h3, Elysia, a plain object. */
export interface Web {
  fetch(request: Request): Response | Promise<Response>
}

/** A web app in use. */
export interface WebHold {
  web: Web
  /** It is not disposed before; not there when it never is. */
  release?: () => void
}

export interface Webs {
  /**
   * The app of a definition, made by the first request that wants it. Once its code has changed, requests get the new one while
   * those in flight finish with the old one.
   *
   * - throws `SETUP_FAILED` when making it threw; the next request tries again.
   */
  acquire(callee: Callee): Promise<WebHold>
  close(): Promise<void>
}

interface Entry {
  definition: Definition
  made: Promise<Web>
  abort: AbortController
  users: number
  retired: boolean
}

const known = new WeakMap<Worker, Webs>()

/** Those of a worker, whoever asks for them. */
export function websOf(worker: Worker): Webs {
  const webs = known.get(worker) ?? createWebs(worker)
  known.set(worker, webs)
  return webs
}

function createWebs(worker: Worker): Webs {
  const entries = new Map<string, Entry>()
  const end = async (entry: Entry) => {
    entry.abort.abort(new Error('the web app is not wanted any more'))
    const web = await entry.made.catch(() => undefined)
    // What its module made ends with that.
    if (web !== entry.definition.body) await dispose(web, worker.report)
  }
  const retire = (entry: Entry) => {
    entry.retired = true
    if (entry.users === 0) void end(entry)
  }
  const create = ({ id, definition }: Callee): Entry => {
    const abort = new AbortController()
    const made = makeWeb(worker, definition, abort.signal)
    const entry: Entry = { definition, made, abort, users: 0, retired: false }
    entries.set(id, entry)
    made.catch(() => {
      if (entries.get(id) === entry) entries.delete(id)
    })
    return entry
  }
  return {
    async acquire(callee) {
      const known = entries.get(callee.id)
      const isCurrent = known?.definition === callee.definition
      if (known && !isCurrent) retire(known)
      const entry = known && isCurrent ? known : create(callee)
      entry.users++
      const release = () => {
        entry.users--
        if (entry.retired && entry.users === 0) void end(entry)
      }
      try {
        const web = await entry.made
        if (isDisposable(web)) return { web, release: once(release) }
        release()
        return { web }
      } catch (error) {
        release()
        throw error
      }
    },
    async close() {
      await Promise.all(Array.from(entries.values(), end))
      entries.clear()
    },
  }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}

async function makeWeb(worker: Worker, { body, config }: Definition, signal: AbortSignal): Promise<Web> {
  if (isWeb(body)) return body
  const { endpoint } = worker
  const log = createLog((text) => worker.write('stdout', text))
  const init = { signal, endpoint, log, model: config.model }
  const context = attachWorker(createSetupContext(init), worker)
  try {
    const made = await contextStorage().run(context, async () => (body as () => unknown)())
    if (isWeb(made)) return made
    throw new TypeError('it gave nothing with fetch(request)')
  } catch (cause) {
    throw new AppError('SETUP_FAILED', {
      message: `the web app of "${endpoint}" could not be made: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'correct what makes it; the next request tries again',
      cause,
    })
  }
}

function isWeb(value: unknown): value is Web {
  const isHolder = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isHolder && typeof (value as Partial<Web>).fetch === 'function'
}
