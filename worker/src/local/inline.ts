import type { Channel } from './channel.ts'
import { createRunnerLoader } from './runner.ts'
import { serveChannel } from './serve.ts'

/**
 * A worker in the dev server's own process: no isolation, so a function that blocks or exits takes the server along.
 *
 * - `env`: variables of the endpoint; they are set for the whole process, unless they are there already.
 */
export function serveInline(channel: Channel, { env }: { env: Record<string, string> }): () => Promise<void> {
  for (const [name, value] of Object.entries(env)) process.env[name] ??= value
  return serveChannel(channel, createRunnerLoader, { nobody: 'pass' })
}
