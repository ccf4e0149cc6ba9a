import { mayContain, rewriteModule } from '@flash/compiler'
import type { UnpluginOptions } from 'unplugin'
import { type PluginContext, roleOf } from '../context.ts'
import { toHostError } from '../host-error.ts'

/** What `this` has in Vite and lacks elsewhere. */
interface WithEnvironment {
  environment?: { name: string; config: { consumer: 'client' | 'server' } }
}

const FILES = /\.(?:[cm]?[jt]sx?|vue|svelte|astro)(?:\?|$)/

/** Replaces each remote function by what its module needs of it: a stub, or the function itself. */
export function replaceBodies(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:transform',
    // Before TypeScript and JSX are gone, so that positions and unused imports are those of the author.
    enforce: 'pre',
    transform: {
      filter: {
        id: { include: FILES, exclude: /\/node_modules\/(?:vite|unplugin-flash)\/|^\0/ },
        code: /unplugin-flash|\bremote\b/,
      },
      async handler(code, id) {
        const [file = id, query = ''] = splitId(id)
        if (!mayContain(code) && !context.project.hasFunctions(file)) return null
        try {
          const analysis = await context.project.analyze(code, file)
          if (!analysis) return null
          const { environment } = this as unknown as WithEnvironment
          const role = await roleOf(context, {
            environment: environment && { name: environment.name, consumer: environment.config.consumer },
            file,
            query,
          })
          const output = rewriteModule(analysis, role)
          if (role.kind === 'client') context.stubs.set(file, output.code)
          return output
        } catch (error) {
          throw toHostError(error, context.root)
        }
      },
    },
  }
}

function splitId(id: string): [string, string] {
  const mark = id.indexOf('?')
  return mark < 0 ? [id, ''] : [id.slice(0, mark), id.slice(mark + 1)]
}
