import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ResolvedEndpointConfig } from '@flash/protocol'
import { stateFolder } from '../project-key.ts'

/** Where code finds its volume, by the name of the first one: a folder of the project, made when it is missing. */
export function volumeVariables(
  { volumes: [volume] }: Pick<ResolvedEndpointConfig, 'volumes'>,
  root: string,
): Record<string, string> {
  if (!volume) return {}
  const folder = join(
    stateFolder(root),
    'volumes',
    (volume.name ?? volume.id ?? 'volume').replace(/[^\w.-]|^\.+/g, '_'),
  )
  mkdirSync(folder, { recursive: true })
  return { FLASH_VOLUME: folder }
}
