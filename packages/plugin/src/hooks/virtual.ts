import type { UnpluginOptions } from 'unplugin'
import type { PluginContext } from '../context.ts'

const CLIENT = 'virtual:flash/client'
const RESOLVED = `\0${CLIENT}`

/** `virtual:flash/client`: the client runtime, bound to the address of this app's routes. */
export function serveClient(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:client',
    resolveId: { filter: { id: /^virtual:flash\/client$/ }, handler: () => RESOLVED },
    load: {
      filter: { id: /^\0virtual:flash\/client$/ },
      handler: () => {
        const prefix = JSON.stringify(context.prefix)
        return [
          "import { bindClass, bindStub } from 'unplugin-flash/client'",
          `export const stub = /* @__PURE__ */ bindStub(${prefix})`,
          `export const flashClass = /* @__PURE__ */ bindClass(${prefix})`,
        ].join('\n')
      },
    },
  }
}
