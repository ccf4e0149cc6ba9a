import { current, requestsOf, type Server, type ServersState } from './servers-state.ts'

/** A worker is called silent after two seconds, so one that may be stuck is looked at a little later. */
const LOOK_AGAIN_MS = 2_500
const RECHECK_MS = 250

/** A worker that gets stuck says nothing, so while requests wait the endpoint looks by itself. */
export function recheck(state: ServersState): void {
  // One that loads its code has nothing to say meanwhile, and its followers would take as long.
  const silent = current(state).filter(({ link, isOpening }) => !isOpening && link.isSilent())
  state.withdrawRecheck ??= state.context.clock.after(RECHECK_MS, () => {
    state.withdrawRecheck = null
    // What was said while this process was busy itself has been heard by now.
    for (const server of silent) if (server.link.isSilent()) replace(state, server)
    state.pump()
  })
}

/** It gets no more requests, whatever becomes of it. */
function replace(state: ServersState, server: Server): void {
  if (requestsOf(server) === 0) return end(state, server)
  server.isStale = true
  state.crew.retireOne(server.link)
}

/** At once, whatever it does. */
function end({ crew }: ServersState, server: Server): void {
  server.isStale = true
  crew.end(server.link)
}

/** Ends a worker that is stuck when nobody waits for it any more. */
export function watch(state: ServersState, server: Server): void {
  if (server.isWatched) return
  server.isWatched = true
  lookLater(state, () => {
    server.isWatched = false
    const isNeeded = requestsOf(server) > 0 || (server.isOpening && state.waiting.size > 0)
    if (isSilent(state, server) && !isNeeded) replace(state, server)
  })
}

/** Ends a worker that is stuck with a request whose time is over, and cannot hear that. */
export function endStuck(state: ServersState, server: Server): void {
  setImmediate(() => {
    if (isSilent(state, server)) return end(state, server)
    const { heardAt } = server.link
    // What has been heard since is able to end the request; another one may keep it busy now.
    lookLater(state, () => {
      if (isSilent(state, server) && server.link.heardAt === heardAt) end(state, server)
    })
  })
}

/** What the worker said while this process was busy itself is heard before it is judged. */
function lookLater({ context }: ServersState, look: () => void): void {
  context.clock.after(LOOK_AGAIN_MS, () => void setImmediate(look))
}

function isSilent({ servers }: ServersState, { link }: Server): boolean {
  return servers.has(link) && link.isSilent()
}

/** Gives up workers that are not done with code that is an old one now: it may never end. */
export function endOpening(state: ServersState, isConcerned: (server: Server) => boolean): void {
  for (const server of state.servers.values())
    if (server.isOpening && requestsOf(server) === 0 && isConcerned(server)) end(state, server)
}
