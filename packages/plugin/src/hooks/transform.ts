import { type Rewritten, rewriteModule } from '@flash/compiler'
import type { UnpluginOptions } from 'unplugin'
import { type Asker, type PluginContext, roleOf } from '../context.ts'
import { toHostError } from '../host-error.ts'

/** What `this` has in Vite and lacks elsewhere. */
interface WithEnvironment {
  environment?: { name: string; config: { consumer: 'client' | 'server' } }
}

/** Replaces each remote function by what its module needs of it: a stub, or the function itself. */
export function replaceBodies(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:transform',
    // Before TypeScript and JSX are gone, so that positions and unused imports are those of the author.
    enforce: 'pre',
    transform: {
      filter: context.filter,
      async handler(code, id) {
        const { environment } = this as unknown as WithEnvironment
        const [file, query] = splitId(id)
        const asker = environment && { name: environment.name, consumer: environment.config.consumer }
        const output = await rewrite(context, code, { environment: asker, file, query })
        if (output && asker?.consumer !== 'server') context.stubs.set(file, output.code)
        return output
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
        const output = await rewrite(context, code, {
          environment: { name: 'client', consumer: 'client' },
          file,
          query,
        }).catch(() => null)
        return output?.code ?? null
      },
    },
  }
}

function splitId(id: string): [file: string, query: string] {
  const mark = id.indexOf('?')
  return mark < 0 ? [id, ''] : [id.slice(0, mark), id.slice(mark + 1)]
}
