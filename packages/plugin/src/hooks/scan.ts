import { rm } from 'node:fs/promises'
import type { UnpluginOptions } from 'unplugin'
import { AppError } from '@flash/protocol'
import type { PluginContext } from '../context.ts'
import { printError, toHostError } from '../host-error.ts'

/** Knows all functions of the project before the first module is asked for; in a build, any broken file ends it. */
export function scanModules(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:scan',
    async buildStart() {
      if (context.testing) return
      await (context.scanned ??= context.project.scan())
      if (context.command === 'build') await failOnProblems(context)
    },
  }
}

async function failOnProblems(context: PluginContext): Promise<void> {
  const problems = await context.project.check()
  if (problems.length === 0) return
  // What an earlier build left would look like this one's result.
  for (const folder of context.outDirs) await rm(folder, { recursive: true, force: true })
  const [first, ...others] = problems as [AppError, ...AppError[]]
  const error = toHostError(first, context.root)
  if (others.length > 0)
    error.message += `\n\nand ${others.length} more:\n\n${others.map(printError).join('\n\n')}`
  throw error
}
