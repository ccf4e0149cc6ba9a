import { createUnplugin } from 'unplugin'
import { createContext } from './context.ts'
import { serveDev } from './hooks/dev.ts'
import { updateStubs } from './hooks/hot-update.ts'
import { scanModules } from './hooks/scan.ts'
import { replaceBodies } from './hooks/transform.ts'
import { serveClient } from './hooks/virtual.ts'
import { adaptVite } from './hosts/vite.ts'
import type { PluginOptions } from './options.ts'

export type { PluginOptions } from './options.ts'

/** The plugin for every host; each hook is one file. */
export const flash = createUnplugin<PluginOptions | undefined, true>((options) => {
  const context = createContext(options)
  return [
    adaptVite(context),
    scanModules(context),
    replaceBodies(context),
    serveClient(context),
    updateStubs(context),
    serveDev(context),
  ]
})
