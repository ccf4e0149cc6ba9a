import type { StreamName } from './output.ts'

/** What is kept of lines that cannot be passed on yet; older ones are dropped. */
export const heldLimits = { lines: 1_000, characters: 1_000_000 }

/** A line without end is passed on in pieces of this length. */
const longestCharacters = 64_000

export interface LinesOptions {
  /** Takes one line, without its end. */
  write(stream: StreamName, line: string): void
  /** Whether lines have to wait. */
  isFull(): boolean
}

/** The output of one job, line by line, in the order in which it was written. */
export interface Lines {
  push(stream: StreamName, text: string): void
  /** Passes on what waits, as long as it is taken. */
  flush(): void
  /** Passes on all that is kept; a line that was begun ends here. */
  end(): void
}

export function createLines({ write, isFull }: LinesOptions): Lines {
  const begun: Record<StreamName, string> = { stdout: '', stderr: '' }
  let held: { stream: StreamName; line: string }[] = []
  let characters = 0
  let dropped = 0
  const hold = (stream: StreamName, line: string) => {
    held.push({ stream, line })
    characters += line.length
    while (held.length > heldLimits.lines || characters > heldLimits.characters) {
      characters -= held.shift()!.line.length
      dropped++
    }
  }
  const isWaiting = () => held.length > 0 || dropped > 0
  const tell = (stream: StreamName, line: string) => {
    if (isWaiting() || isFull()) hold(stream, line)
    else write(stream, line)
  }
  const flush = (all: boolean) => {
    if (!isWaiting() || (!all && isFull())) return
    if (dropped > 0) write('stderr', dropNotice(dropped))
    dropped = 0
    let taken = 0
    for (const { stream, line } of held) {
      if (!all && isFull()) break
      taken++
      characters -= line.length
      write(stream, line)
    }
    held = held.slice(taken)
  }
  return {
    push(stream, text) {
      const lines = (begun[stream] + text).split('\n')
      begun[stream] = lines.pop()!
      for (const line of lines) tell(stream, line.replace(/\r$/, ''))
      if (begun[stream].length < longestCharacters) return
      tell(stream, begun[stream])
      begun[stream] = ''
    },
    flush: () => flush(false),
    end() {
      for (const stream of ['stdout', 'stderr'] as const) {
        if (begun[stream] !== '') tell(stream, begun[stream])
        begun[stream] = ''
      }
      flush(true)
    },
  }
}

function dropNotice(count: number): string {
  return `[${count} lines of output dropped here: written faster than they could be passed on]`
}
