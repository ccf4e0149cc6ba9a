import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '@flash/protocol'
import type { RpcBackend } from '../backend.ts'

const builds = new Map<string, Promise<RpcBackend>>()

/**
 * The bundles of the build around the working directory, running as processes of this machine; started once, whoever asks.
 *
 * - throws `BUILD_MISSING`, and what starting them throws; the next call tries again.
 */
export async function openBuild(cwd = process.cwd()): Promise<RpcBackend> {
  const root = findRoot(cwd)
  let build = builds.get(root)
  if (!build) {
    build = start(root)
    builds.set(root, build)
    build.catch(() => builds.delete(root))
  }
  return build
}

/** The nearest folder, from here upwards, in which something was built. */
function findRoot(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.flash/build/flash_manifest.json'))) return folder
    if (folder === dirname(folder)) throw buildMissing(cwd)
  }
}

async function start(root: string): Promise<RpcBackend> {
  // A server that never asks for them does not load what runs them.
  const { openBundles } = await import('../local/bundles.ts')
  const { backend } = await openBundles({
    folder: join(root, '.flash/build'),
    root,
    onOutput: (endpoint, stream, text) => void process[stream].write(`[${endpoint}] ${text}`),
    onError: (error) => console.error('[flash]', error),
  })
  return backend
}

function buildMissing(cwd: string): AppError {
  return new AppError('BUILD_MISSING', {
    message: `FLASH_TARGET=local asks for the built bundles, and there is no .flash/build in ${cwd} or above it`,
    hint: 'run `vite build` first, start this process below the project, or unset FLASH_TARGET',
  })
}
