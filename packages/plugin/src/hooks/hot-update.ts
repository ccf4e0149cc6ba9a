import { rewriteModule } from '@flash/compiler'
import type { UnpluginOptions } from 'unplugin'
import type { EnvironmentModuleNode, HotUpdateOptions } from 'vite'
import { clientRole, type PluginContext } from '../context.ts'

/** Keeps edits of bodies away from pages: only a stub that changed is news to a browser. */
export function updateStubs(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:hot-update',
    vite: {
      async hotUpdate(options) {
        const { name, config } = this.environment
        // Workers were told already, and import again at their next call.
        if (name === 'flash') return []
        if (config.consumer !== 'client' || options.modules.length === 0) return undefined
        return (await isSameStub(context, options)) ? withoutFile(options) : undefined
      },
    },
  }
}

async function isSameStub(context: PluginContext, { file, read, type }: HotUpdateOptions): Promise<boolean> {
  const last = context.stubs.get(file)
  if (last === undefined || type === 'delete') return false
  try {
    const analysis = await context.project.analyze(await read(), file)
    if (!analysis) return false
    const next = rewriteModule(analysis, clientRole(context)).code
    context.stubs.set(file, next)
    return next === last
  } catch {
    // The file does not compile: the page keeps what it has, the overlay tells, and the next save is judged again.
    return true
  }
}

/** What a page asked for in another way, as text with `?raw`, is not compiled: it did change. */
function withoutFile({ modules, file }: HotUpdateOptions): EnvironmentModuleNode[] {
  return modules.filter(({ id }) => id !== file)
}
