import {
  createMessageReader,
  encodeMessage,
  FrameType,
  type FromWorker,
  type LocalCall,
  type ToWorker,
} from '@flash/protocol'
import type { Exit, Launched } from './launch.ts'

/** A worker played by hand: what its host said to it, and what it says back. */
export interface FakeWorker {
  launched: Launched
  env: Record<string, string>
  heard: ToWorker[]
  /** Byte parts of the calls it heard. */
  parts: Uint8Array[][]
  calls(): LocalCall[]
  say(message: FromWorker, parts?: Uint8Array[]): void
  /** Bytes that are no message. */
  send(bytes: Uint8Array): void
  print(stream: 'stdout' | 'stderr', text: string): void
  end(exit?: Partial<Exit>): Promise<void>
  killed: boolean
  /** Whether its host waits for it. */
  held: boolean
}

export function createFakeWorker(env: Record<string, string> = {}): FakeWorker {
  const heard: ToWorker[] = []
  const parts: Uint8Array[][] = []
  let toHost = (_bytes: Uint8Array) => {}
  let print = (_stream: 'stdout' | 'stderr', _text: string) => {}
  let exit = (_exit: Exit) => {}
  const exited = new Promise<Exit>((resolve) => (exit = resolve))
  const reader = createMessageReader((message) => {
    heard.push(JSON.parse(message.text))
    parts.push(message.parts)
  })
  const worker: FakeWorker = {
    env,
    heard,
    parts,
    killed: false,
    held: true,
    calls: () => heard.filter((message) => message.t === 'call'),
    say: (message, bytes = []) =>
      toHost(
        encodeMessage({ type: FrameType.channel, rich: false, text: JSON.stringify(message), parts: bytes }),
      ),
    send: (bytes) => toHost(bytes),
    print: (stream, text) => print(stream, text),
    async end(how = {}) {
      exit({ code: 0, signal: null, ...how })
      // Those who wait for the exit are told in a later turn.
      await new Promise((resolve) => setImmediate(resolve))
    },
    launched: {
      pid: 4711,
      send: (bytes) => reader.push(bytes),
      onData: (listener) => void (toHost = listener),
      onOutput: (listener) => void (print = listener),
      exited,
      hold: (isNeeded) => void (worker.held = isNeeded),
      kill() {
        worker.killed = true
        exit({ code: null, signal: 'SIGKILL' })
      },
    },
  }
  return worker
}
