import { systemClock } from '@flash/protocol'
import { FastResponse } from 'srvx/node'
import { readBody } from '../../body.ts'
import { problemResponse } from '../../problem.ts'
import { createToError } from '../../rpc/to-error.ts'
import type { EnvSources } from '../env.ts'
import { type ImageAsk, parseAsk } from './ask.ts'
import { createImageEndpoint, type ImageEndpoint } from './endpoint.ts'
import { changed, closed } from './failure.ts'
import { createImageHost, type ImageHostOptions } from './host.ts'
import { toImageSettings } from './settings.ts'

export interface ImagesOptions
  extends Omit<ImageHostOptions, 'clock' | 'startMs'>,
    Partial<Pick<ImageHostOptions, 'clock' | 'startMs'>> {
  /** Of the project: volumes are below. */
  root: string
  /** Where variables have their values now. */
  sources(): EnvSources
}

/** The images of a project, each in one container of this machine. */
export interface Images {
  /**
   * Tells where an endpoint with an image answers, once its container is ready; the first request starts it.
   *
   * - the body is `{ use: 'queue' | 'balanced', config, again? }`, the answer `{ url, key }`, or 202 for who is to ask `again`.
   * - problem JSON otherwise: `NEEDS_DOCKER`, `IMAGE_FAILED`, `ENV_MISSING`, `BAD_CONFIG`, `BAD_REQUEST`.
   */
  answer(request: Request): Promise<Response>
  /** Ends all containers. */
  close(): Promise<void>
}

/** As long as containers of the platform may take. */
const START_MS = 420_000
/** Clients give up on an answer whose head does not come within minutes; an image may take longer. */
const HOLD_MS = 20_000
const BODY_LIMIT_BYTES = 1_000_000

interface Known {
  endpoint: ImageEndpoint
  /** What it was made of. */
  text: string
}

export function createImages({ root, sources, ...options }: ImagesOptions): Images {
  const { clock = systemClock, startMs = START_MS } = options
  const host = createImageHost({ ...options, clock, startMs })
  const known = new Map<string, Known>()
  const toError = createToError(options.onError)
  let isClosed = false
  const find = (ask: ImageAsk): ImageEndpoint => {
    const { use, config, again } = ask
    if (isClosed) throw closed(config)
    const key = `${use} ${config.name}`
    const now = sources()
    const settings = toImageSettings(ask, { root, sources: now })
    const text = JSON.stringify(settings)
    const before = known.get(key)
    if (before?.text === text) return before.endpoint
    // Two configs in turn would end each other's containers before one is ready.
    if (again) throw changed(config)
    before?.endpoint.retire(changed)
    const endpoint = createImageEndpoint(settings, secretsOf(ask, settings.env), host)
    known.set(key, { endpoint, text })
    return endpoint
  }
  const hold = () => new Promise<null>((resolve) => clock.after(HOLD_MS, () => resolve(null)))
  return {
    async answer(request) {
      try {
        const ask = parseAsk(await readBody(request, BODY_LIMIT_BYTES))
        const address = await Promise.race([find(ask).open(), hold()])
        return FastResponse.json(address ?? {}, { status: address ? 200 : 202 }) as unknown as Response
      } catch (error) {
        return problemResponse(toError(error), FastResponse as unknown as typeof Response)
      }
    },
    async close() {
      isClosed = true
      for (const { endpoint } of known.values()) endpoint.retire(closed)
      await host.close()
    },
  }
}

/** Values that the config does not show. */
function secretsOf({ config }: ImageAsk, env: Record<string, string>): string[] {
  return config.env.flatMap(({ kind, name }) => (kind === 'literal' ? [] : [env[name]!]))
}
