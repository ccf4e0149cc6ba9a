import { createUnplugin, type UnpluginOptions } from 'unplugin'
import { createContext } from './context.ts'
import { buildWorkers } from './hooks/build.ts'
import { serveDev } from './hooks/dev.ts'
import { updateStubs } from './hooks/hot-update.ts'
import { checkLeaks } from './hooks/leaks.ts'
import { servePreview } from './hooks/preview.ts'
import { scanModules } from './hooks/scan.ts'
import { replaceBodies } from './hooks/transform.ts'
import { serveModules } from './hooks/virtual.ts'
import { adaptRollup } from './hosts/rollup.ts'
import { adaptVite } from './hosts/vite.ts'
import type { PluginOptions } from './options.ts'

export type { PluginOptions } from './options.ts'

/** The plugin for every host; each hook is one file. */
export const flash = createUnplugin<PluginOptions | undefined, true>((options) => {
  const context = createContext(options)
  const plugins = [
    adaptVite(context),
    adaptRollup(context),
    scanModules(context),
    replaceBodies(context),
    serveModules(context),
    updateStubs(context),
    serveDev(context),
    servePreview(context),
    checkLeaks(context),
    buildWorkers(context),
  ]
  return plugins.map(shareEnvironments)
})

/** A build of several environments has one of each: what pages and servers are made of is told by one scan of the project. */
function shareEnvironments(plugin: UnpluginOptions): UnpluginOptions {
  return { ...plugin, vite: { ...plugin.vite, sharedDuringBuild: true } }
}
