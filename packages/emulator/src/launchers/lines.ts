import { StringDecoder } from 'node:string_decoder'
import type { WorkerLine } from './launcher.ts'

const LINE_LIMIT_CHARACTERS = 16_384
/** Lines that are kept for the first listener, who may come a moment after the start. */
const EARLY_LINES = 1_000

export interface WorkerLines {
  onLine(listener: (line: WorkerLine) => void): void
  /** A line of the platform about the worker. */
  system(text: string): void
  /** One of the worker's streams: bytes in, whole lines out. Streams do not cut each other's lines. */
  stream(): LineSplitter
}

export interface LineSplitter {
  write(bytes: Uint8Array): void
  /** What is left without an end of line is a line too. */
  end(): void
}

export function createLines(): WorkerLines {
  const listeners = new Set<(line: WorkerLine) => void>()
  const early: WorkerLine[] = []
  const tell = (line: WorkerLine) => {
    if (listeners.size > 0) for (const listener of listeners) listener(line)
    else if (early.length < EARLY_LINES) early.push(line)
  }
  return {
    onLine(listener) {
      listeners.add(listener)
      for (const line of early.splice(0)) listener(line)
    },
    system: (text) => tell({ source: 'system', text }),
    stream: () => splitLines((text) => tell({ source: 'container', text })),
  }
}

/** Whatever is written, no more than one line of limited length is held; of a longer one, the rest is counted and dropped. */
export function splitLines(tell: (text: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8')
  let held = ''
  let dropped = 0
  const add = (text: string) => {
    const room = LINE_LIMIT_CHARACTERS - held.length
    held += text.slice(0, room)
    dropped += Math.max(0, text.length - room)
  }
  const finish = () => {
    tell(dropped > 0 ? `${held} … (${dropped} more characters)` : held.replace(/\r$/, ''))
    held = ''
    dropped = 0
  }
  const read = (text: string) => {
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      add(text.slice(from, at))
      finish()
      from = at + 1
    }
    add(text.slice(from))
  }
  return {
    write: (bytes) => read(decoder.write(bytes as Buffer)),
    end() {
      read(decoder.end())
      if (held || dropped) finish()
    },
  }
}
