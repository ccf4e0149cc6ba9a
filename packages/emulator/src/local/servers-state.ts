import type { ServedFunction } from '@flash/protocol'
import type { Held } from '../endpoints/hold.ts'
import type { EndpointSettings, WorkerContext } from './context.ts'
import type { Crew } from './crew.ts'
import type { WorkerLink } from './link.ts'
import type { LocalSeat } from './local-seat.ts'

/** A worker's server, as far as it was opened. */
export interface Server {
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
  /** Files of the user's that have them, as they are shown. */
  sources: readonly string[]
  servers: Map<WorkerLink, Server>
  waiting: Set<Held<LocalSeat>>
  crew: Crew
  isClosed: boolean
  withdrawRecheck: (() => void) | null
  /** Gives waiting requests the workers that are ready, and gets others ready when there are none. */
  pump(): void
}

/** Those that take requests, or will. */
export function current({ servers }: ServersState): Server[] {
  return [...servers.values()].filter(({ isStale, link }) => !isStale && !link.retired)
}

export function requestsOf({ link, isOpening }: Server): number {
  return link.calls - (isOpening ? 1 : 0)
}
