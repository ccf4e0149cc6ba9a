/** One authoring form, with a way to try it. */
export interface Demo {
  id: string
  title: string
  about: string
  /** Paths below `src/` of what is shown beside it. */
  files: string[]
  /** What the button calls, as code. */
  call: string
  fields?: Field[]
  /** Whether a second button may end it early. */
  stoppable?: boolean
  run(stage: Stage): Promise<unknown>
}

export interface Field {
  name: string
  label: string
  value: string
  type?: 'text' | 'number'
}

/** What a running demo reads from the page and writes to it. */
export interface Stage {
  field(name: string): string
  signal: AbortSignal
  /** Puts text at the end of the result. */
  write(text: string): void
  progress(done: number, total: number): void
}
