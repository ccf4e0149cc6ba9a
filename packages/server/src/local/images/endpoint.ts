import { randomBytes } from 'node:crypto'
import type { Emulator, EndpointSettings, EndpointSpec } from '@flash/emulator/runpod'
import { AppError } from '@flash/protocol'
import { ended, type ImageLabel, late, needsDocker } from './failure.ts'
import type { ImageHost } from './host.ts'
import type { ContainerWatch } from './launcher.ts'
import { createTail } from './tail.ts'

/** Where an endpoint answers, and the key that it wants. */
export interface ImageAddress {
  url: string
  key: string
}

/** One container of an image, started by the first call. */
export interface ImageEndpoint {
  /** Resolves when it is ready. Throws `NEEDS_DOCKER`, `IMAGE_FAILED`. */
  open(): Promise<ImageAddress>
  /** It goes as soon as it has no work; whoever waits for it hears the reason. */
  retire(reason: (label: ImageLabel) => AppError): void
}

/** An endpoint of the emulator. */
interface Placed {
  emulator: Emulator
  id: string
  address: ImageAddress
}

interface ImageState {
  settings: ImageSettings
  /** What none of its errors shows. */
  secrets: string[]
  host: ImageHost
  placed: Placed | null
  starting: Promise<ImageAddress> | null
  /** Ends the start that somebody waits for. */
  giveUp: ((error: AppError) => void) | null
  failure: { error: unknown; at: number } | null
  /** Why no container is started any more. */
  retired: AppError | null
  /** A container is ready, however long it took. */
  forgetDeadline: () => void
}

export type ImageSettings = EndpointSettings & Pick<EndpointSpec, 'image' | 'kind' | 'env'>

/** How often a container that starts is looked at. */
const LOOK_MS = 50
/** Those that wait hear of a failure within this time, in which no other container is started. */
const FAILURE_MS = 2_000

export function createImageEndpoint(
  settings: ImageSettings,
  secrets: string[],
  host: ImageHost,
): ImageEndpoint {
  const state: ImageState = {
    settings,
    secrets,
    host,
    placed: null,
    starting: null,
    giveUp: null,
    failure: null,
    retired: null,
    forgetDeadline() {},
  }
  return { open: () => open(state), retire: (reason) => retire(state, reason(settings)) }
}

async function open(state: ImageState): Promise<ImageAddress> {
  const { placed, failure, host } = state
  if (placed && isReady(placed)) {
    state.forgetDeadline()
    return placed.address
  }
  if (failure && host.clock.now() - failure.at < FAILURE_MS) throw failure.error
  state.starting ??= start(state)
    .catch((error: unknown) => {
      state.failure = { error, at: host.clock.now() }
      throw error
    })
    .finally(() => (state.starting = null))
  return state.starting
}

async function start(state: ImageState): Promise<ImageAddress> {
  const { host, settings } = state
  const emulator = await host.open().catch((error: AppError) => {
    throw error.code === 'NEEDS_DOCKER' ? needsDocker(settings, error) : error
  })
  if (state.retired) throw state.retired
  const id = state.placed?.id ?? randomBytes(7).toString('hex')
  host.watch(id, ({ workerId }) => watchContainer(state, id, workerId))
  // Nobody asks for work yet, and one is wanted all the same.
  const { url } = save(state, { emulator, id }, { workersMin: 1 })
  const key = emulator.env.RUNPOD_API_KEY!
  state.placed = { emulator, id, address: { url, key } }
  await untilReady(state, state.placed)
  return { url, key }
}

async function untilReady(state: ImageState, placed: Placed): Promise<void> {
  const { clock } = state.host
  let withdraw = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      state.giveUp = reject
      const look = () => {
        if (!isReady(placed)) return void (withdraw = clock.after(LOOK_MS, look))
        state.giveUp = null
        state.forgetDeadline()
        // From now on another one is only started for those that wait for it.
        save(state, placed, {})
        resolve()
      }
      look()
    })
  } finally {
    withdraw()
    state.giveUp = null
  }
}

function watchContainer(state: ImageState, id: string, workerId: string): ContainerWatch {
  const { host, settings, secrets } = state
  const last = createTail(secrets)
  const isWell = () => state.giveUp === null && state.placed !== null && isReady(state.placed)
  const judge = (error: () => AppError) => {
    if (state.placed?.id === id && !isWell() && !wasSentAway(state, workerId)) fail(state, error())
  }
  return {
    line({ source, text }) {
      if (source === 'container') last.add(text)
      host.onOutput(settings.name, 'stdout', text)
    },
    started() {
      const lateError = () => late(settings, settings.kind, host.startMs, last.text())
      state.forgetDeadline = host.clock.after(host.startMs, () => judge(lateError))
    },
    exited(exit) {
      state.forgetDeadline()
      judge(() => ended(settings, exit, last.text()))
    },
  }
}

/** A container that does not get ready would be started again and again. */
function fail(state: ImageState, error: AppError): void {
  remove(state)
  if (state.giveUp) state.giveUp(error)
  else state.host.onOutput(state.settings.name, 'stderr', error.message)
}

function remove(state: ImageState): void {
  const { placed, host } = state
  if (!placed) return
  state.placed = null
  host.unwatch(placed.id)
  placed.emulator.endpoints.remove(placed.id).catch(host.onError)
}

function retire(state: ImageState, reason: AppError): void {
  state.retired = reason
  if (state.giveUp) fail(state, reason)
  else if (state.placed) save(state, state.placed, { idleTimeoutSeconds: 1 })
}

function save(
  { settings }: ImageState,
  { emulator, id }: Pick<Placed, 'emulator' | 'id'>,
  more: Partial<EndpointSettings>,
) {
  return emulator.addEndpoint({ ...settings, id, version: 1, ...more })
}

/** Nobody asks for it any more, and it was told to end: what it has done is still asked for. */
function wasSentAway({ retired, placed }: ImageState, workerId: string): boolean {
  const workers = placed?.emulator.endpoints.get(placed.id)?.workers() ?? []
  return retired !== null && !workers.some(({ id }) => id === workerId)
}

function isReady({ emulator, id }: Placed): boolean {
  const { idle = 0, running = 0 } = emulator.endpoints.get(id)?.counts() ?? {}
  return idle + running > 0
}
