import { createExternalLauncher } from './launchers/external.ts'
import type { Launcher } from './launchers/launcher.ts'
import { createProcessLauncher, type ProcessLauncherOptions } from './launchers/process.ts'

export type LauncherName = Launcher['name']

/** A launcher by its name; what only one of them needs is loaded with it. */
export async function resolveLauncher(
  launcher: LauncherName | Launcher,
  options: Pick<ProcessLauncherOptions, 'program'>,
): Promise<Launcher> {
  if (typeof launcher === 'object') return launcher
  if (launcher === 'external') return createExternalLauncher()
  if (launcher === 'process') return createProcessLauncher(options)
  const { createDockerLauncher } = await import('./launchers/docker.ts')
  return createDockerLauncher()
}
