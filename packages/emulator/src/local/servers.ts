import { randomBytes } from 'node:crypto'
import { type Held, holdOpen } from '../endpoints/hold.ts'
import { type EndpointSettings, launchWorker, type WorkerContext } from './context.ts'
import { createCrew } from './crew.ts'
import type { WorkerLink } from './link.ts'
import type { LocalSeat } from './local-seat.ts'
import { noWorkers, notReady } from './no-workers.ts'
import { occupy } from './occupy.ts'
import { current, type Server, type ServersState } from './servers-state.ts'
import { endOpening, recheck, watch } from './stuck.ts'

const SEAT_MS = 120_000

/** None yet: the first request starts one. */
export function createServers(settings: EndpointSettings, context: WorkerContext): ServersState {
  const state: ServersState = {
    settings,
    context,
    functions: [],
    text: '[]',
    sources: [],
    servers: new Map(),
    waiting: new Set(),
    crew: createCrew({
      limit: () => state.settings.config.dev.workers,
      launch: (id) => launchWorker(id, state.settings, context, listenTo(state)),
    }),
    isClosed: false,
    withdrawRecheck: null,
    pump: () => pump(state),
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
      late: () => Promise.reject(notReady(state)),
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

function refuse({ waiting }: ServersState, error: unknown): void {
  for (const held of waiting) held.settle(Promise.reject(error))
}

export function retire(state: ServersState): void {
  for (const server of state.servers.values()) server.isStale = true
  // Who waits gets another one, and nobody else would hear of it when it is ready.
  endOpening(state, () => true)
  state.crew.retire()
  pump(state)
}

/** Absolute files changed: workers load them again, and one that is not done with them is given up for another. */
export function invalidate(state: ServersState, files: string[]): void {
  for (const link of state.crew.links()) link.invalidate(files)
  endOpening(state, ({ link }) => link.hasLoaded(files))
  pump(state)
}

export function close(state: ServersState): void {
  state.isClosed = true
  state.withdrawRecheck?.()
  state.crew.close()
  refuse(state, noWorkers(state))
}
