import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BalancedFunction,
  createBalancedEndpoint,
  createEndpoint,
  type EndpointContext,
  type EndpointSettings,
  launchProcess,
  type LocalBalanced,
  type LocalEndpoint,
} from '@flash/emulator'
import { AppError, type Clock, type ManifestEndpoint } from '@flash/protocol'
import type { LocalFact } from './backend.ts'
import { resolveWorkerEnv } from './env.ts'
import { findMissingPackages } from './missing-packages.ts'
import { volumeVariables } from './volume.ts'

/** Where bundles are, and what their processes get. */
export interface BundleSurroundings {
  /** Of the build: `<endpoint>/main.mjs` is below. */
  folder: string
  root: string
  processEnv: Record<string, string | undefined>
  /** Vite's `.env*` files of the mode, where they are read. */
  envFiles?: Record<string, string>
  /** Variables by which a bundle calls other endpoints. */
  address: Record<string, string>
  clock: Clock
  onOutput(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
}

/** Throws `ENV_MISSING`. */
export function bundleSettings(
  name: string,
  { config }: ManifestEndpoint,
  { root, processEnv, envFiles, address }: BundleSurroundings,
): EndpointSettings {
  const files = envFiles ?? {}
  const place = `in ${envFiles ? '.env.local or ' : ''}the environment of this process`
  const named = resolveWorkerEnv(name, config.env, { process: processEnv, files, place })
  const env = {
    NODE_ENV: 'production',
    ...volumeVariables(config, root),
    ...named,
    ...address,
    FLASH_WORKER_CHANNEL: '3',
  }
  return { name, config, env, unnamed: Object.keys(files).filter((one) => !(one in env)) }
}

/**
 * One endpoint of a build, run by its bundle in processes of their own.
 *
 * - `current`: the endpoint as the newest build has it.
 */
export function createBundleEndpoint(
  settings: EndpointSettings,
  surroundings: BundleSurroundings,
  current: () => ManifestEndpoint | undefined,
): LocalEndpoint<LocalFact> {
  return createEndpoint(settings, contextOf(settings, surroundings, current))
}

/** The same for one with routes or a web app. */
export function createBundleBalanced(
  settings: EndpointSettings,
  surroundings: BundleSurroundings,
  current: () => ManifestEndpoint | undefined,
): LocalBalanced {
  return createBalancedEndpoint<BalancedFunction>(settings, contextOf(settings, surroundings, current))
}

function contextOf(
  settings: EndpointSettings,
  { root, clock, onOutput, folder }: BundleSurroundings,
  current: () => ManifestEndpoint | undefined,
): EndpointContext<unknown> {
  // Where a container runs it: a file that is looked for beside the working folder is missing here as it would be there.
  const cwd = join(folder, settings.name)
  const program = join(cwd, 'main.mjs')
  return {
    root,
    clock,
    onOutput,
    launch: (env) => launchProcess({ program, cwd, env }),
    moduleOf: () => 'main.mjs',
    // A bundle has all it needs.
    answer: async (question) => {
      throw new AppError('NOT_FOUND', { message: `a bundle asks for "${question}"` })
    },
    explainExit: () => explain(settings.name, program, current()?.externals ?? []),
  }
}

/** Why a bundle does not even begin, as far as what lies on disk can tell. */
function explain(
  name: string,
  program: string,
  externals: ManifestEndpoint['externals'],
): AppError | undefined {
  if (!existsSync(program)) {
    return new AppError('BUILD_MISSING', {
      message: `the bundle of "${name}" is not there any more: ${program}`,
      hint: 'run `vite build` again',
    })
  }
  const missing = findMissingPackages(join(program, '..'), externals)
  if (missing.length === 0) return undefined
  const names = missing.map((one) => `"${one.name}"`).join(', ')
  return new AppError('DEPENDENCY_NOT_INSTALLED', {
    message: `the bundle of "${name}" imports ${names}, and ${missing.length === 1 ? 'it is' : 'they are'} not installed`,
    hint: `run: npm install ${missing.map((one) => `${one.name}@${one.version}`).join(' ')}`,
    data: { missing: missing.map((one) => one.name) },
  })
}
