/** What running the module of one file's configs gives; functions and promises never cross. */
export type Report =
  | { kind: 'values'; values: Record<string, ReportedConfig> }
  | { kind: 'threw'; name: string; message: string; stack: string }
  | { kind: 'exited'; stack: string }

export type ReportedConfig =
  | { data: unknown }
  /** `what`: the value at `path`, as the end of a sentence. */
  | { path: string[]; what: string }

/** The descriptor that the answer is written to: what user code prints goes elsewhere. */
export const REPORT_FD = 3

/** How the bundled module hands over its configs. */
export const REPORT_GLOBAL = '__flashReport'

/**
 * A config as plain data, or the first value that is none.
 *
 * It is sent to the process as the text of a function, so it names nothing from outside, and so is `prelude`.
 */
export function toReported(config: unknown): ReportedConfig {
  const codeKeys = new Set(['setup', 'input', 'output'])
  const describe = (value: unknown): string => {
    if (typeof value === 'function') return 'is a function'
    if (typeof value === 'bigint') return `is ${value}n`
    if (typeof value !== 'object' || value === null) return `is ${String(value)}`
    if (value instanceof Promise) return 'is a promise'
    return `is an instance of ${value.constructor?.name ?? 'an unnamed class'}`
  }
  const isPlainObject = (value: object) => {
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === null || Object.getPrototypeOf(prototype) === null
  }
  const isPlainValue = (value: unknown) =>
    value === null ||
    value === undefined ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  const toObject = (value: object, path: string[], above: unknown[]) => {
    const pairs: [string, unknown][] = []
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue
      const isCode = above.length === 1 && codeKeys.has(key)
      pairs.push([key, isCode ? true : toData(item, [...path, key], above)])
    }
    return Object.fromEntries(pairs)
  }
  const toData = (value: unknown, path: string[], above: unknown[]): unknown => {
    if (isPlainValue(value)) return value
    const refuse = (what: string) => Object.assign(new Error(what), { path, what })
    if (above.includes(value)) throw refuse('contains itself')
    const below = [...above, value]
    if (Array.isArray(value))
      return value.map((item, index) => toData(item, [...path, String(index)], below) ?? null)
    if (typeof value !== 'object' || !isPlainObject(value as object)) throw refuse(describe(value))
    return toObject(value as object, path, below)
  }
  try {
    return { data: toData(config, [], []) }
  } catch (error) {
    const { path, what } = error as { path?: string[]; what?: string }
    if (path === undefined || what === undefined) throw error
    return { path, what }
  }
}

/* v8 ignore start -- runs in another process, where nobody counts @preserve */

/** Runs before any user code. */
export function prelude(
  fd: number,
  globalName: string,
  toReported: (config: unknown) => ReportedConfig,
): void {
  const { writeSync } = process.getBuiltinModule('node:fs')
  const { exit } = process
  const { stringify } = JSON
  const send = (report: Report) => {
    const bytes = Buffer.from(stringify(report))
    for (let sent = 0; sent < bytes.length; ) {
      try {
        sent += writeSync(fd, bytes, sent)
      } catch (error) {
        if ((error as { code?: string }).code !== 'EAGAIN') throw error
      }
    }
    exit.call(process, 0)
  }
  const fail = (error: unknown) => {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
    send({ kind: 'threw', name, message, stack: String(stack) })
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  process.exit = () => send({ kind: 'exited', stack: String(new Error('exit').stack) }) as never
  const report = (configs: Record<string, unknown>) => {
    const values = Object.entries(configs).map(([id, config]) => [id, toReported(config)])
    send({ kind: 'values', values: Object.fromEntries(values) })
  }
  Object.defineProperty(globalThis, globalName, { value: report })
}
/* v8 ignore stop -- @preserve */
