import { spawn } from 'node:child_process'
import type Docker from 'dockerode'
import { onExit } from '../../exit.ts'
import type { Owner } from './owner.ts'

export interface Keeper {
  /** The owner has removed its containers. */
  forget(): void
}

/** Asks the engine for the containers with a label, and removes them. It knows nothing of this program, which has ended by then. */
const script = `
const { request } = require('node:http')
const [place, label] = process.argv.slice(1)
const ask = (method, path) => new Promise((resolve) => {
  const sent = request({ ...JSON.parse(place), method, path }, async (response) => {
    let text = ''
    for await (const part of response) text += part
    resolve(text)
  })
  sent.on('error', () => resolve('[]'))
  sent.end()
})
const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
ask('GET', '/containers/json?all=1&filters=' + filters).then((text) => {
  for (const { Id } of JSON.parse(text)) void ask('DELETE', '/containers/' + Id + '?force=1&v=1')
})`

/**
 * Removes the containers of an owner when this process ends without having done it, also by Ctrl+C.
 *
 * - a program of its own does it, since a process that ends cannot wait; after a hard kill the next start does.
 */
export async function removeOnExit(engine: Docker, { id, labels }: Owner): Promise<Keeper> {
  const place = await findPlace(engine.modem as unknown as Modem)
  const label = Object.entries(labels)
    .find(([, value]) => value === id)!
    .join('=')
  const forget = onExit(() => {
    if (!place) return
    const args = ['-e', script, JSON.stringify(place), label]
    const env = { ...process.env, NODE_OPTIONS: '' }
    const options = { detached: true, stdio: 'ignore', env } as const
    spawn(process.execPath, args, options)
      .on('error', () => {})
      .unref()
  })
  return { forget }
}

/** What the library knows of its engine, and has no types for. */
interface Modem {
  socketPath?: unknown
  getSocketPath(): Promise<string>
  protocol?: string
  host?: string
  port?: string | number
}

/** Where the engine listens; `null` where it takes more than a connection. */
async function findPlace(modem: Modem): Promise<object | null> {
  if (modem.socketPath) return { socketPath: await modem.getSocketPath() }
  const { protocol, host, port } = modem
  return protocol === 'http' ? { host, port } : null
}
