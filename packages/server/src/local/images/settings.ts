import { toLimits } from '@flash/emulator'
import { type EnvSources, resolveNamedEnv } from '../env.ts'
import { volumeFolder } from '../volume.ts'
import type { ImageAsk } from './ask.ts'
import type { ImageSettings } from './endpoint.ts'

export interface ImageSurroundings {
  /** Of the project: volumes are below. */
  root: string
  /** Where variables have their values. */
  sources: EnvSources
}

const volumeTarget = '/runpod-volume'

/** As long as what asked for it runs. */
const foreverSeconds = 1e9

/**
 * One container for as long as the project is developed.
 *
 * - throws `ENV_MISSING` naming every variable that has no value.
 */
export function toImageSettings(
  { use, config }: ImageAsk,
  { root, sources }: ImageSurroundings,
): ImageSettings {
  const { name, image, args, compute, executionTimeoutMs } = config
  const [volume] = config.volumes
  const mounts = volume
    ? [{ source: volumeFolder(volume, root), target: volumeTarget, writable: true }]
    : undefined
  return {
    name,
    kind: use,
    image,
    args: args ?? '',
    env: {
      ...(volume && { FLASH_VOLUME: volumeTarget }),
      ...resolveNamedEnv(name, config.env, sources),
      ...portVariables(config),
      // How long a start may take is counted here, from the moment the image is there.
      RUNPOD_INIT_TIMEOUT: String(foreverSeconds),
    },
    ...(mounts && { mounts }),
    limits: toLimits(compute.kind === 'cpu' ? compute.instances : []),
    gpuCount: compute.kind === 'gpu' ? compute.count : 0,
    workersMax: 1,
    idleTimeoutSeconds: foreverSeconds,
    executionTimeoutMs,
  }
}

/** An image that listens to a port of its own choice says so in `ports`. */
function portVariables({ ports }: ImageAsk['config']): Record<string, string> {
  const port = ports.find((one) => one.endsWith('/http'))?.replace('/http', '')
  return port === undefined ? {} : { PORT: port, PORT_HEALTH: port }
}
