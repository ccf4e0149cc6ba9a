import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Rolldown } from 'vite'

/** Bundles each `src/<entry>/entry.ts` by itself, as many at a time as there are cores. */
export async function bundleByHand(root: string, entries: readonly string[]): Promise<void> {
  const { rolldown } = await loadRolldown()
  const queue = entries.values()
  const takeTurns = async () => {
    for (const entry of queue) {
      const bundle = await rolldown({
        input: join(root, 'src', entry, 'entry.ts'),
        cwd: root,
        platform: 'node',
        logLevel: 'silent',
        transform: { target: 'node20.19' },
      })
      await bundle.write({
        dir: join(root, '.workers', entry),
        entryFileNames: 'main.mjs',
        format: 'esm',
        codeSplitting: false,
        sourcemap: true,
      })
      await bundle.close()
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, takeTurns))
}

/** The copy beside Vite, which the plugin takes too. */
async function loadRolldown(): Promise<typeof Rolldown> {
  const vite = createRequire(import.meta.url).resolve('vite/package.json')
  return import(pathToFileURL(createRequire(vite).resolve('rolldown')).href)
}
