import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ResolvedEndpointConfig, ResolvedVolume } from '@flash/protocol'
import { stateFolder } from '../project-key.ts'

/** Where code finds its volume, by the name of the first one: a folder of the project, made when it is missing. */
export function volumeVariables(
  { volumes: [volume] }: Pick<ResolvedEndpointConfig, 'volumes'>,
  root: string,
): Record<string, string> {
  if (!volume) return {}
  return { FLASH_VOLUME: volumeFolder(volume, root) }
}

/** The folder that stands for a volume, made when it is missing. */
export function volumeFolder({ name, id }: Pick<ResolvedVolume, 'name' | 'id'>, root: string): string {
  const folder = join(stateFolder(root), 'volumes', (name ?? id ?? 'volume').replace(/[^\w.-]|^\.+/g, '_'))
  mkdirSync(folder, { recursive: true })
  return folder
}
