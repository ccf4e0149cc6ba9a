/** What the command line asks of every benchmark. */
export interface RunOptions {
  /** Fewer samples: shows that everything works, not how fast it is. */
  quick: boolean
  /** Says what is being done now. */
  progress(text: string): void
}

/** One line of the table: a figure, what it is compared with, and what it should be. */
export interface Row {
  what: string
  /** The same work without the plugin. */
  plain?: Measure
  flash: Measure
  /** The figure that the aim is about; `flash` itself when omitted. */
  figure?: Measure
  /** What holds the true figure in 95 of 100 runs, where that is known. */
  range?: [low: number, high: number]
  /** The largest figure that is good enough. */
  aim?: number
  note?: string
}

export interface Measure {
  value: number
  unit: Unit
}

export type Unit = 'ms' | 'µs' | 'bytes' | 'MB' | 'times' | 'calls/s'

export interface Benchmark {
  name: string
  title: string
  run(options: RunOptions): Promise<Row[]>
}
