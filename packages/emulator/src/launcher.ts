import { AppError } from '@flash/protocol'
import type { DockerLauncherOptions } from './launchers/docker.ts'
import { createExternalLauncher } from './launchers/external.ts'
import type { Launcher } from './launchers/launcher.ts'
import { createProcessLauncher, type ProcessLauncherOptions } from './launchers/process.ts'

export type LauncherName = Launcher['name']

/** A launcher by its name; what only one of them needs is loaded with it. Throws `BAD_OPTION`. */
export async function resolveLauncher(
  launcher: LauncherName | Launcher,
  { program, docker }: Pick<ProcessLauncherOptions, 'program'> & { docker?: DockerLauncherOptions },
): Promise<Launcher> {
  if (typeof launcher === 'object') return launcher
  if (launcher === 'external') return createExternalLauncher()
  if (launcher === 'process') return createProcessLauncher({ program })
  if (launcher !== 'docker')
    throw new AppError('BAD_OPTION', {
      message: `there is no launcher ${JSON.stringify(launcher)}`,
      hint: 'give process, docker, external, or one of your own',
    })
  const { createDockerLauncher } = await import('./launchers/docker.ts')
  return createDockerLauncher(docker)
}
