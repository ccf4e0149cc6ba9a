import { randomBytes } from 'node:crypto'
import { AppError, type ServedFunction, TOKEN_HEADER } from '@flash/protocol'
import { type Held, holdOpen } from '../endpoints/hold.ts'
import type { Seat } from '../endpoints/types.ts'
import { type EndpointSettings, launchWorker, type WorkerContext } from './context.ts'
import { type Crew, createCrew } from './crew.ts'
import type { WorkerLink } from './link.ts'

/** A worker's HTTP server for one request. */
export interface LocalSeat extends Seat {
  headers: Record<string, string>
  /** How the worker ended, `null` when it does not end within two seconds. For a request whose connection broke. */
  lost(): Promise<Error | null>
}

/** A worker's server, as far as it was opened. */
interface Server {
  link: WorkerLink
  token: string
  url: string | null
  /** What it was told to answer last. */
  served: readonly ServedFunction[] | null
  isOpening: boolean
  /** Others take its place. */
  isStale: boolean
  isWatched: boolean
}

/** What the parts of one endpoint share. */
export interface ServersState {
  settings: EndpointSettings
  context: WorkerContext
  functions: readonly ServedFunction[]
  /** The same, to tell whether they changed. */
  text: string
  servers: Map<WorkerLink, Server>
  waiting: Set<Held<LocalSeat>>
  crew: Crew
  isClosed: boolean
  withdrawRecheck: (() => void) | null
}

const SEAT_MS = 120_000
/** A worker is called silent after two seconds, so one that may be stuck is looked at a little later. */
const LOOK_AGAIN_MS = 2_500
const RECHECK_MS = 250
const LOST_MS = 2_000

/** None yet: the first request starts one. */
export function createServers(settings: EndpointSettings, context: WorkerContext): ServersState {
  const state: ServersState = {
    settings,
    context,
    functions: [],
    text: '[]',
    servers: new Map(),
    waiting: new Set(),
    crew: createCrew({
      limit: () => state.settings.config.dev.workers,
      launch: (id) => launchWorker(id, state.settings, context, listenTo(state)),
    }),
    isClosed: false,
    withdrawRecheck: null,
  }
  return state
}

function listenTo(state: ServersState) {
  return {
    onFree: () => pump(state),
    onExit(link: WorkerLink) {
      const wasOpening = state.servers.get(link)?.isOpening
      state.servers.delete(link)
      state.crew.remove(link)
      // Who waited for it is told why it ended, and gets no other one.
      if (!wasOpening) pump(state)
    },
  }
}

export function seat(state: ServersState, signal: AbortSignal): Promise<LocalSeat> {
  if (signal.aborted) return Promise.reject(signal.reason)
  if (state.isClosed) return Promise.reject(noWorkers(state))
  const held: Held<LocalSeat> = holdOpen<LocalSeat>(
    state.context.clock,
    { holdMs: SEAT_MS, signal },
    {
      late: () => Promise.reject(noWorkers(state)),
      aborted: () => Promise.reject(signal.reason),
      ended() {
        state.waiting.delete(held)
        for (const server of state.servers.values()) if (server.isOpening) watch(state, server)
      },
    },
  )
  state.waiting.add(held)
  pump(state)
  return held.promise
}

/** Gives waiting requests the workers that are ready, and gets others ready when there are none. */
function pump(state: ServersState): void {
  if (state.isClosed) return
  state.crew.endIdle()
  for (const held of state.waiting) {
    const server = pick(state)
    if (!server) return prepare(state)
    held.settle(occupy(state, server))
  }
}

/** The least busy worker that can answer now; another one is started beside it while that is allowed. */
function pick(state: ServersState): Server | undefined {
  const ready = current(state)
    .filter((server) => isReady(state, server))
    .sort((a, b) => a.link.calls - b.link.calls)
  if (ready[0] && ready[0].link.calls > 0 && state.crew.hasRoom()) begin(state)
  return ready[0]
}

function isReady({ functions }: ServersState, { url, served, isOpening, link }: Server): boolean {
  return url !== null && served === functions && !isOpening && !link.isSilent()
}

/** Those that take requests, or will. */
function current({ servers }: ServersState): Server[] {
  return [...servers.values()].filter(({ isStale, link }) => !isStale && !link.retired)
}

function prepare(state: ServersState): void {
  recheck(state)
  const servers = current(state)
  for (const server of servers)
    if (!server.isOpening && server.served !== state.functions) void open(state, server)
  if (servers.length === 0 && state.crew.hasRoom()) begin(state)
}

function begin(state: ServersState): void {
  const link = state.crew.start()
  const server: Server = {
    link,
    token: randomBytes(24).toString('base64url'),
    url: null,
    served: null,
    isOpening: false,
    isStale: false,
    isWatched: false,
  }
  state.servers.set(link, server)
  void open(state, server)
}

/** Tells a worker what it answers. What that fails with is told to all who wait, unless something newer is on its way. */
async function open(state: ServersState, server: Server): Promise<void> {
  const { functions } = state
  server.isOpening = true
  try {
    const { name } = state.settings
    const { token } = server
    const { port } = await server.link.serve({ endpoint: name, token, functions: [...functions] })
    server.url = `http://127.0.0.1:${port}`
    server.served = functions
  } catch (error) {
    if (!server.isStale && functions === state.functions) refuse(state, error)
  }
  server.isOpening = false
  pump(state)
}

function occupy(state: ServersState, server: Server): LocalSeat {
  const { link, url, token } = server
  const release = link.occupy()
  return {
    workerId: link.id,
    url: url!,
    headers: { [TOKEN_HEADER]: token },
    release() {
      release()
      watch(state, server)
    },
    lost: () =>
      new Promise((resolve) => {
        const withdraw = state.context.clock.after(LOST_MS, () => resolve(null))
        void link.ended.then((error) => {
          withdraw()
          resolve(error)
        })
      }),
  }
}

/** A worker that gets stuck says nothing, so while requests wait the endpoint looks by itself. */
function recheck(state: ServersState): void {
  const silent = current(state).filter(({ link }) => link.isSilent())
  state.withdrawRecheck ??= state.context.clock.after(RECHECK_MS, () => {
    state.withdrawRecheck = null
    // What was said while this process was busy itself has been heard by now.
    for (const server of silent) if (server.link.isSilent()) replace(state, server)
    pump(state)
  })
}

/** It gets no more requests, whatever becomes of it. */
function replace({ crew }: ServersState, server: Server): void {
  server.isStale = true
  crew.retireOne(server.link)
  if (requestsOf(server) === 0) crew.end(server.link)
}

/** Ends a worker that is stuck when nobody waits for it any more. */
function watch(state: ServersState, server: Server): void {
  if (server.isWatched) return
  server.isWatched = true
  state.context.clock.after(LOOK_AGAIN_MS, () => {
    setImmediate(() => {
      server.isWatched = false
      const isNeeded = requestsOf(server) > 0 || (server.isOpening && state.waiting.size > 0)
      const isHere = state.servers.has(server.link)
      if (isHere && server.link.isSilent() && !isNeeded) replace(state, server)
    })
  })
}

function requestsOf({ link, isOpening }: Server): number {
  return link.calls - (isOpening ? 1 : 0)
}

function refuse({ waiting }: ServersState, error: unknown): void {
  for (const held of waiting) held.settle(Promise.reject(error))
}

export function retire(state: ServersState): void {
  for (const server of state.servers.values()) server.isStale = true
  state.crew.retire()
  pump(state)
}

export function close(state: ServersState): void {
  state.isClosed = true
  state.withdrawRecheck?.()
  state.crew.close()
  refuse(state, noWorkers(state))
}

function noWorkers({ settings: { name }, isClosed }: ServersState): AppError {
  return new AppError('NO_WORKERS', {
    message: isClosed
      ? `endpoint "${name}" is closed`
      : `endpoint "${name}" had no worker that was ready within 2 minutes`,
    hint: 'look at what its worker prints: its code may be stuck while it is loaded',
  })
}
