import { flash as factory, type PluginOptions } from '@flash/plugin'
import type { Plugin } from 'vite'

export type { PluginOptions }

/**
 * The plugin for Vite: `plugins: [flash()]` is all that is added to a project.
 *
 * Every option has a default that needs no account, no key and no network.
 */
export function flash(options?: PluginOptions): Plugin[] {
  return factory.vite(options) as Plugin[]
}

/** @alias Plugins of Vite are imported either way. */
export default flash
