import { rm } from 'node:fs/promises'
import type { WorkerBuild } from '@flash/compiler'
import { FACTS_FILE, sealFacts } from '@flash/server'
import type { UnpluginOptions } from 'unplugin'
import type { PluginContext } from '../context.ts'
import { combineErrors } from '../host-error.ts'
import { printBuild } from '../print-build.ts'
import { consumerOf } from './transform.ts'
import { toServerFacts } from './virtual.ts'

/** What the hooks of a bundler offer and the portable ones do not name. */
interface HookContext {
  meta?: { watchMode?: boolean }
  addWatchFile?(file: string): void
  emitFile?(file: { type: 'asset'; fileName: string; source: string }): unknown
}

/** Writes the worker bundles beside the app, from the one hook that every host reaches. */
export function buildWorkers(context: PluginContext): UnpluginOptions {
  const isBuild = () => context.command === 'build' && !context.testing
  /** What `buildEnd` made already. */
  let made: WorkerBuild | null = null
  const hooks = {
    renderError: () => (isBuild() ? forget(context) : undefined),
    generateBundle(this: HookContext) {
      if (!isBuild() || context.setup.serverOutput || consumerOf(context, this) === 'server') return
      if (context.project.functions().length === 0) return
      const facts = {
        ...toServerFacts(context),
        appType: context.setup.appType,
        maxBodyBytes: context.options.maxBodyBytes,
      }
      this.emitFile?.({ type: 'asset', fileName: FACTS_FILE, source: sealFacts(facts, context.key) })
    },
  }
  return {
    name: 'flash:build',
    async buildEnd(this: HookContext, error?: Error) {
      if (!isBuild()) return
      if (error) return forget(context)
      // A watcher has to know the files of workers, and takes names only until the app is put together.
      if (!this.meta?.watchMode || context.project.functions().length === 0) return
      try {
        made = await build(context)
      } finally {
        for (const file of context.builder.inputs()) this.addWatchFile?.(file)
      }
    },
    async writeBundle() {
      if (!isBuild()) return
      if (context.project.functions().length > 0) printBuild(context, made ?? (await build(context)))
      else await context.builder.clear()
      made = null
    },
    vite: hooks,
    rollup: hooks,
    rolldown: hooks,
  }
}

async function build(context: PluginContext) {
  try {
    return await context.builder.build()
  } catch (error) {
    await forget(context)
    throw combineErrors(error instanceof AggregateError ? error.errors : [error], context.root)
  }
}

/** What an earlier build, or the first half of this one, left would look like its result. */
export async function forget(context: PluginContext): Promise<void> {
  for (const folder of context.outDirs) await rm(folder, { recursive: true, force: true })
  await context.builder.clear()
}
