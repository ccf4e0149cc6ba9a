import { flash as factory, type PluginOptions } from '@flash/plugin'
import type { Plugin } from 'rolldown'

export type { PluginOptions }

/**
 * The plugin for rolldown; it stands before plugins that change sources.
 *
 * `role` says what is built: pages (default), or code that runs on a server.
 */
export function flash(options?: PluginOptions): Plugin[] {
  return factory.rolldown(options) as Plugin[]
}

/** @alias Plugins of rolldown are imported either way. */
export default flash
