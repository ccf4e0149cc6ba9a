import { resolve } from 'node:path'
import type { BundleAddress, Emulator, WorkerEvent } from '@flash/emulator/runpod'
import { defineCommand, type ParsedArgs } from 'citty'
import type { Io } from '../io.ts'
import { parseOptions } from '../options.ts'
import { UsageError } from '../print.ts'
import { stopOnSignal } from '../signals.ts'
import { fetchEmulatorEnv, toShell } from './emulator-env.ts'

const args = {
  port: { type: 'string', valueHint: 'number', description: 'Port; 8787, and 0 for any free one' },
  host: { type: 'string', valueHint: 'address', description: 'Address to listen at; 127.0.0.1' },
  key: { type: 'string', valueHint: 'text', description: 'The API key that clients show; emulator' },
  launcher: {
    type: 'string',
    valueHint: 'process|docker|external',
    description: 'How workers are started; process',
  },
  bundles: {
    type: 'string',
    valueHint: 'folder',
    description: 'Make endpoints of a build, such as .flash/build',
  },
  tls: { type: 'boolean', description: 'Answer HTTPS too, with a certificate of a throw-away authority' },
  rates: { type: 'boolean', description: 'Refuse more requests than Runpod allows' },
  env: { type: 'boolean', description: 'Print the variables of the emulator that runs at the port, and end' },
  endpoint: {
    type: 'string',
    valueHint: 'id',
    description: 'With --env: those of a worker of the endpoint that you start by hand',
  },
  json: { type: 'boolean', description: 'Print one line of JSON when ready' },
} as const

type EmulatorArgs = ParsedArgs<typeof args>

export const emulator = defineCommand({
  meta: { name: 'emulator', description: 'Run what we use of Runpod on this machine' },
  args,
  run: ({ rawArgs, data }) => run(parseOptions(rawArgs, args), data as Io),
})

async function run(given: EmulatorArgs, io: Io): Promise<void> {
  const place = {
    host: given.host ?? '127.0.0.1',
    port: parsePort(given.port ?? '8787'),
    apiKey: given.key ?? 'emulator',
  }
  if (given.endpoint !== undefined && !given.env) throw new UsageError('--endpoint is for --env')
  if (!given.env) return serve(given, place, io)
  const env = await fetchEmulatorEnv(place, given.endpoint)
  for (const line of given.json ? [JSON.stringify(env)] : toShell(env)) io.print(line)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new UsageError(`the port is "${text}"; give --port a number from 0 to 65535`)
}

const launchers = ['process', 'docker', 'external'] as const

function parseLauncher(text: string): (typeof launchers)[number] {
  const launcher = launchers.find((one) => one === text)
  if (launcher) return launcher
  throw new UsageError(`the launcher is "${text}"; there are: ${launchers.join(', ')}`)
}

/** Until a signal stops it. */
async function serve(
  given: EmulatorArgs,
  place: { host: string; port: number; apiKey: string },
  io: Io,
): Promise<void> {
  const launcher = parseLauncher(given.launcher ?? 'process')
  if (!/^(?:127\.|localhost$|::1$)/.test(place.host) && given.key === undefined)
    io.warn('flash: other machines can reach the emulator and start programs by it: give a --key of your own')
  const signal = stopOnSignal(io, () => io.warn('flash: stopping; once more to end at once'))
  // Nobody who only serves an app has to load it.
  const { createEmulator, createMovableClock } = await import('@flash/emulator/runpod')
  const emulator = await createEmulator({
    ...place,
    launcher,
    tls: given.tls,
    clock: createMovableClock(),
    limits: { rates: given.rates ?? false },
    onError: (error) => io.warn(`flash: ${error instanceof Error ? (error.stack ?? error.message) : error}`),
  })
  try {
    const bundles = given.bundles === undefined ? [] : emulator.addBundles(resolve(io.cwd, given.bundles))
    if (given.json) io.print(JSON.stringify({ url: emulator.url, env: emulator.env, endpoints: bundles }))
    else for (const line of describe(emulator, bundles, { ...given, launcher })) io.print(line)
    emulator.onWorker((event) => io.warn(toLine(event)))
    await untilAborted(signal)
  } finally {
    await emulator.close()
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

const doings = {
  process: 'as processes of this machine',
  docker: 'in containers',
  external: 'by you, with the variables of --env --endpoint <id>',
} as const

function describe(
  { url, env }: Emulator,
  bundles: BundleAddress[],
  { launcher }: { launcher: keyof typeof doings },
): string[] {
  return [
    `  flash  emulator of Runpod at ${url}`,
    `         workers are started ${doings[launcher]}`,
    ...bundles.map((bundle) => `         endpoint ${bundle.name} at ${bundle.url}`),
    '',
    ...toShell(env),
  ]
}

function toLine({ endpoint, workerId, source, line }: WorkerEvent): string {
  return `[${endpoint} ${workerId}] ${source === 'system' ? `· ${line}` : line}`
}
