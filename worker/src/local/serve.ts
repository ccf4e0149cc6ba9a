import { type Clock, systemClock, type ToWorker } from '@flash/protocol'
import { contextStorage, type FunctionContext } from '../execute/context.ts'
import { type CaptureOptions, captureOutput } from '../execute/output.ts'
import { createWorker, setCurrentWorker } from '../execute/worker.ts'
import { createLocalServer, type LocalServer } from './balanced.ts'
import { runLocalCall, runWarm } from './calls.ts'
import { type Channel, type Conversation, createConversation } from './channel.ts'
import { createPlaces } from './places.ts'
import { type Ask, createRequests } from './requests.ts'
import { warnOfUnnamed } from './unnamed.ts'
import { type CallOwner, createDeferred, type CreateLoader, type Loader, type Session } from './session.ts'

export interface ServeOptions {
  clock?: Clock
  streams?: CaptureOptions<CallOwner>['streams']
  /** Output that belongs to no call is sent too, or left where it goes. */
  nobody?: 'send' | 'pass'
  /** How long a cancelled function may take to end before the worker stops waiting for it. */
  graceMs?: number
  /** Stands for the code of a function's `setup`; the host is asked when omitted. */
  setupKey?(id: string): string
}

const BEAT_MS = 500
const BACKLOG_CHARACTERS = 256 * 1024

/**
 * Serves the calls of one host until its side of the channel closes.
 *
 * - returns what ends it: signals abort, states and instances are disposed, output goes its usual way again.
 */
export function serveChannel(
  channel: Channel,
  createLoader: CreateLoader,
  options: ServeOptions = {},
): () => Promise<void> {
  const ready = createDeferred<Loader>()
  let loader: Loader | undefined
  const conversation = createConversation(channel, (message, parts) =>
    handlers[message.t](message as never, parts),
  )
  const { ask, answer } = createRequests(conversation.say)
  const session = createSession(conversation, ask, ready.promise, options)
  const server = createLocalServer(session)
  const handlers: {
    [T in ToWorker['t']]: (message: Extract<ToWorker, { t: T }>, parts: Uint8Array[]) => void
  } = {
    start({ root, endpoint, unnamed }) {
      session.worker.endpoint = endpoint
      restoreEnv = warnOfUnnamed(unnamed, endpoint, (line) => complain(session, line))
      createLoader({ root, ask }).then((made) => {
        loader = made
        session.say({ t: 'ready' })
        ready.resolve(made)
      }, ready.reject)
    },
    call: (message, parts) => void runLocalCall(session, message, parts),
    warm: (message) => void runWarm(session, message),
    serve: (message) => void server.serve(message),
    cancel: ({ call, reason }) => session.calls.get(call)?.cancel(reason),
    invalidate({ files }) {
      session.generation++
      session.places.forgetVersions()
      loader?.invalidate(files)
    },
    reply: answer,
  }
  let restoreEnv = () => {}
  const unset = setCurrentWorker(session.worker)
  const stopBeat = beat(session)
  let ended: Promise<void> | undefined
  const end = () =>
    (ended ??= endSession(session, server, stopBeat).finally(() => {
      restoreEnv()
      unset()
    }))
  channel.onClose(() => void end())
  return end
}

async function endSession(session: Session, server: LocalServer, stopBeat: () => void): Promise<void> {
  stopBeat()
  for (const call of session.calls.values()) call.cancel('closed')
  await server.close()
  await session.worker.close()
  session.capture.restore()
}

/** A line of the worker's own. */
function complain({ say }: Session, line: string): void {
  say({ t: 'log', call: null, stream: 'stderr', text: `${line}\n` })
}

function createSession(
  { say, sayLater, waiting }: Conversation,
  ask: Ask,
  loader: Promise<Loader>,
  { clock = systemClock, streams = process, nobody = 'send', graceMs = 1_000, setupKey }: ServeOptions,
): Session {
  const owners: Session['owners'] = new WeakMap()
  const current = () => owners.get(contextStorage().getStore() as FunctionContext) ?? null
  const capture = captureOutput<CallOwner>({
    streams,
    nobody,
    current,
    send: (owner, stream, text) => say({ t: 'log', call: owner?.call ?? null, stream, text }),
    room: () => BACKLOG_CHARACTERS - waiting(),
  })
  const places = createPlaces(async (id) => String(setupKey ? setupKey(id) : await ask('setupKey', [id])))
  const worker = createWorker({
    endpoint: '',
    clock,
    write: (stream, text) => capture.write(null, stream, text),
    setupPlace: places.of,
  })
  return {
    clock,
    graceMs,
    worker,
    places,
    loader,
    generation: 0,
    calls: new Map(),
    owners,
    capture,
    say,
    sayLater,
  }
}

function beat({ clock, say }: Session): () => void {
  let turn = 0
  let disarm = () => {}
  const again = () => {
    disarm = clock.after(BEAT_MS, () => {
      say({ t: 'beat', turn: ++turn })
      again()
    })
  }
  again()
  return () => disarm()
}
