/** A piece of source text, in UTF-16 offsets. */
export interface Span {
  start: number
  end: number
}

/** Answers whether an offset lies in one of the spans. */
export function spanTest(spans: Span[]): (offset: number) => boolean {
  return (offset) => spans.some(({ start, end }) => offset >= start && offset < end)
}
