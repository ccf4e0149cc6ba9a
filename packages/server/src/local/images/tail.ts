import { createRedact } from '@flash/protocol'

const LINES = 20

/** The last lines of a container, as an error may show them. */
export interface Tail {
  add(line: string): void
  text(): string
}

/** - `secrets`: values that must not be shown. */
export function createTail(secrets: Iterable<string>): Tail {
  const clean = createRedact(secrets)
  const lines: string[] = []
  return {
    add(line) {
      lines.push(line)
      if (lines.length > LINES) lines.shift()
    },
    text: () => clean(lines.join('\n')),
  }
}
