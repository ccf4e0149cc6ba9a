import { readFile } from 'node:fs/promises'
import { type Rewritten, rewriteModule } from '@flash/compiler'
import type { UnpluginOptions } from 'unplugin'
import { type Asker, type PluginContext, roleOf } from '../context.ts'
import { toHostError } from '../host-error.ts'

/** What `this` has in Vite and lacks elsewhere. */
interface WithEnvironment {
  environment?: { name: string; config: { consumer: 'client' | 'server' } }
}

/** For whom the module is compiled: what a hook's `this` says, or the option where the host has no environments. */
export function consumerOf({ options }: PluginContext, hook: object): 'client' | 'server' {
  return (hook as WithEnvironment).environment?.config.consumer ?? options.role
}

/** Replaces each remote function by what its module needs of it: a stub, or the function itself. */
export function replaceBodies(context: PluginContext): UnpluginOptions {
  /** Modules that came rewritten from `load`. */
  const loaded = new Set<string>()
  const replace = async (hook: object, code: string, id: string) => {
    const { environment } = hook as WithEnvironment
    const [file, query] = splitId(id)
    const consumer = consumerOf(context, hook)
    const output = await rewrite(context, code, { name: environment?.name, consumer, file, query })
    if (output && consumer === 'client') context.stubs.set(file, output.code)
    return output
  }
  return {
    name: 'flash:transform',
    // Before TypeScript and JSX are gone, so that positions and unused imports are those of the author.
    enforce: 'pre',
    transform: {
      filter: context.filter,
      handler(code, id) {
        return loaded.has(id) ? null : replace(this, code, id)
      },
    },
    rollup: {
      // Rollup writes the text that a module was loaded with into source maps, whatever `transform` says about it.
      async load(id) {
        if (!context.project.hasStubs(id) || id.includes('?')) return null
        const output = await replace(this, await readFile(id, 'utf8'), id)
        if (output) loaded.add(id)
        return output as never
      },
    },
  }
}

async function rewrite(context: PluginContext, code: string, asker: Asker): Promise<Rewritten | null> {
  try {
    const analysis = await context.project.analyze(code, asker.file)
    return analysis && rewriteModule(analysis, await roleOf(context, asker))
  } catch (error) {
    throw toHostError(error, context.root)
  }
}

/** The same for Vite's search for dependencies: what only functions import is none of the page's. */
export function replaceForScan(context: PluginContext) {
  return {
    name: 'flash:dependencies',
    transform: {
      filter: context.filter,
      async handler(code: string, id: string) {
        const [file, query] = splitId(id)
        const asker: Asker = { name: 'client', consumer: 'client', file, query }
        const output = await rewrite(context, code, asker).catch(() => null)
        return output?.code ?? null
      },
    },
  }
}

function splitId(id: string): [file: string, query: string] {
  const mark = id.indexOf('?')
  return mark < 0 ? [id, ''] : [id.slice(0, mark), id.slice(mark + 1)]
}
