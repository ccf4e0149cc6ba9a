const LIMIT_CHARACTERS = 4_000

/** The end of what a worker wrote. */
export interface Tail {
  add(text: string): void
  /** Stands for all that was written so far. */
  mark(): number
  /** What is left of it; with a mark of that only which came afterwards. */
  text(since?: number): string
}

export function createTail(): Tail {
  let kept = ''
  let written = 0
  return {
    add(text) {
      written += text.length
      kept = (kept + text).slice(-LIMIT_CHARACTERS)
    },
    mark: () => written,
    text: (since = 0) => kept.slice(Math.max(0, kept.length - (written - since))).trimEnd(),
  }
}
