import { flash as factory, type PluginOptions } from '@flash/plugin'
import type { Plugin } from 'rollup'

export type { PluginOptions }

/**
 * The plugin for Rollup; it stands before plugins that compile TypeScript.
 *
 * `role` says what is built: pages (default), or code that runs on a server.
 */
export function flash(options?: PluginOptions): Plugin[] {
  return factory.rollup(options) as Plugin[]
}

/** @alias Plugins of Rollup are imported either way. */
export default flash
