import { Worker } from 'node:worker_threads'
import type { Clock } from '@flash/protocol'
import type { Client } from './client.ts'
import type { Ping } from './environment.ts'
import { heartbeatProgram, pulse, type ThreadData } from './heartbeat-thread.ts'
import type { Log } from './log.ts'

export interface HeartbeatOptions {
  ping: Ping
  authorization: string
  userAgent: string
  /** What the platform shows as the version of the worker. */
  version: string
  clock: Clock
  log: Log
  /** After so long without a turn of this loop, pings cease: the platform shall see that the worker is dead. */
  deadAfterMs?: ThreadData['deadAfterMs']
}

/** Tells the platform that this worker is alive, from a thread of its own: also while a function blocks this one. */
export interface Heartbeat {
  /** The jobs that are here. In memory at once, so that they are told even if the next thing blocks. */
  tell(ids: Iterable<string>): void
  close(): Promise<void>
}

/** The longest list that is sent. */
const limitBytes = 65_535

const defaultDeadAfterMs = { idle: 60_000, busy: 3_600_000 }

const restartMs = 1_000

const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }

export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const memory = new SharedArrayBuffer(pulse.words * 4 + limitBytes)
  const words = new Int32Array(memory, 0, pulse.words)
  const bytes = new Uint8Array(memory, pulse.words * 4)
  const data = toThreadData(options, memory)
  const { clock, log } = options
  let hasEnded = false
  let withdraw = () => {}
  let thread: Worker | undefined
  const startLater = () => {
    if (!hasEnded) withdraw = clock.after(restartMs, start)
  }
  const complain = (error: Error) => log.error(`the heartbeat broke: ${error.message}`)
  const start = () => {
    try {
      thread = new Worker(heartbeatProgram, { eval: true, workerData: data, execArgv: [], resourceLimits })
    } catch (error) {
      // No room for another thread: the jobs can be worked on all the same.
      complain(error as Error)
      return startLater()
    }
    // Each message asks for a sign that the loop turns.
    thread.on('message', () => Atomics.add(words, pulse.turns, 1))
    thread.on('error', complain)
    thread.on('exit', startLater)
  }
  start()
  return {
    tell(ids) {
      Atomics.add(words, pulse.version, 1)
      Atomics.store(words, pulse.length, writeList(ids, bytes))
      Atomics.add(words, pulse.version, 1)
    },
    async close() {
      hasEnded = true
      withdraw()
      await thread?.terminate()
    },
  }
}

const encoder = new TextEncoder()

/** Returns how many bytes it has; one that is too long ends with the last id that has room. */
function writeList(ids: Iterable<string>, bytes: Uint8Array): number {
  const text = [...ids].join(',')
  const { read, written } = encoder.encodeInto(text, bytes)
  if (read === text.length) return written
  return Math.max(bytes.lastIndexOf(0x2c, written - 1), 0)
}

function toThreadData(options: HeartbeatOptions, memory: SharedArrayBuffer): ThreadData {
  const { ping, authorization, userAgent, version, deadAfterMs = defaultDeadAfterMs } = options
  const { server, path } = ping.target({ runpod_version: version })
  const [before, query] = path.split('?') as [string, string]
  return {
    memory,
    isSecure: server.isSecure,
    options: {
      hostname: server.hostname,
      port: server.port,
      headers: { authorization, 'user-agent': userAgent },
    },
    path: `${before}? ${query}`,
    intervalMs: ping.intervalMs,
    deadAfterMs,
  }
}

export interface Ailment {
  check: string
  reason: string
}

const reasonLimit = 256

/** Tells the platform, once, that this worker is no good. Never rejects. */
export async function reportUnhealthy(
  client: Client,
  ping: Ping,
  version: string,
  { check, reason }: Ailment,
): Promise<void> {
  const query = { status: 'unhealthy', check, reason: reason.slice(0, reasonLimit), runpod_version: version }
  await client.send({ target: ping.target(query), timeoutMs: 2_000 }).catch(() => {})
}
