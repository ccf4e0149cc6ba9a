import { isBalanced } from '@flash/protocol'
import { type FlashHandlerOptions, type StartedServer, startServer } from '@flash/server'
import { defineCommand, type ParsedArgs } from 'citty'
import type { Io } from '../io.ts'
import { parseOptions } from '../options.ts'
import { UsageError } from '../print.ts'
import { stopOnSignal } from '../signals.ts'
import { loadAuthorize } from './authorize-module.ts'

const args = {
  port: { type: 'string', valueHint: 'number', description: 'Port, else the variable PORT, else 3000' },
  host: {
    type: 'string',
    valueHint: 'address',
    description:
      'Address to listen at, else the variable HOST, else 0.0.0.0: every interface, as containers need it',
  },
  dist: { type: 'string', valueHint: 'folder', description: 'Folder of the built app; dist' },
  authorize: {
    type: 'string',
    valueHint: 'module',
    description: 'Module whose default export, or export `authorize`, says who may call',
  },
  public: { type: 'boolean', description: 'Everybody may call every function' },
  json: { type: 'boolean', description: 'Print one line of JSON when ready' },
} as const

type StartArgs = ParsedArgs<typeof args>

export const start = defineCommand({
  meta: { name: 'start', description: 'Serve the built app and the route of its functions' },
  args,
  run: ({ rawArgs, data }) => run(parseOptions(rawArgs, args), data as Io),
})

/** Until a signal stops it. */
async function run(given: StartArgs, io: Io): Promise<void> {
  const { cwd, env } = io
  const signal = stopOnSignal(io, () => io.warn('flash: stopping; once more to end at once'))
  const server = await startServer({
    root: cwd,
    env,
    signal,
    dist: given.dist ?? 'dist',
    port: parsePort(given.port ?? (env.PORT || '3000')),
    host: given.host ?? (env.HOST || '0.0.0.0'),
    handler: await resolveHandler(given, cwd),
  })
  if (given.json) io.print(JSON.stringify({ url: server.url }))
  else for (const line of describe(server, given)) io.print(line)
  if (!given.public && given.authorize === undefined)
    io.warn(
      'flash: every call is refused (AUTHORIZE_MISSING): say who may call with --authorize, or open it with --public',
    )
  await server.stopped
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new UsageError(`the port is "${text}"; give --port or PORT a number from 0 to 65535`)
}

async function resolveHandler(
  { authorize, public: isPublic }: StartArgs,
  cwd: string,
): Promise<FlashHandlerOptions> {
  if (authorize === undefined) return isPublic ? { authorize: 'public' } : {}
  if (isPublic) throw new UsageError('--public and --authorize exclude each other')
  return { authorize: await loadAuthorize(authorize, cwd) }
}

function describe(
  { url, host, port, facts }: StartedServer,
  { authorize, public: isPublic }: StartArgs,
): string[] {
  const routes = facts.functions.filter(isBalanced).length
  const openTo = authorize === undefined ? (isPublic ? 'everybody' : 'nobody') : `whom ${authorize} lets in`
  return [
    `  flash  ${facts.app} at ${url}`,
    `         listens at ${host}, port ${port}`,
    `         ${count(facts.functions.length - routes, 'function')}${routes ? ` and ${count(routes, 'route')}` : ''} below ${facts.prefix}, open to ${openTo}`,
  ]
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
