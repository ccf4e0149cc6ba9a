const LIMIT_CHARACTERS = 4_000

/** The end of what a worker wrote. */
export function createTail(): { add(text: string): void; text(): string } {
  let kept = ''
  return {
    add: (text) => void (kept = (kept + text).slice(-LIMIT_CHARACTERS)),
    text: () => kept.trimEnd(),
  }
}
