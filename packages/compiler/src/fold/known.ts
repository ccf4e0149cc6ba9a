import { CpuInstance, CudaVersion, DataCenter, GpuGroup, GpuType } from '@flash/protocol'

/** What the build says about names that no module declares. */
export interface KnownOptions {
  /** As in Vite: text is an expression, anything else is the value itself. */
  define?: Record<string, unknown>
  mode?: string
  /** `import.meta.env`; what `define` says of it wins. */
  env?: Readonly<Record<string, unknown>>
  /** Variables that configs may read, besides `NODE_ENV` and `MODE`. */
  configEnv?: readonly string[]
  /** Where their values come from. */
  variables?: Readonly<Record<string, string | undefined>>
}

type Known =
  | { kind: 'data'; data: unknown }
  | { kind: 'expression'; code: string }
  /** A variable that configs may not read. */
  | { kind: 'unlisted'; name: string }

export interface KnownValues {
  /** `dotted`: `import.meta.env.PROD`, `process.env.GPU`, `__GPU__`; `undefined` when nothing is known. */
  find(dotted: string): Known | undefined
  /** `import.meta.env` as one object. */
  metaEnv: Record<string, unknown>
  /** Variables that configs may read. */
  variables: Record<string, string>
  /** The same for a bundler: name → expression. */
  defines: Record<string, string>
}

export function createKnownValues(options: KnownOptions): KnownValues {
  const { define = {}, mode = 'development', configEnv = [], variables: given = {} } = options
  const nodeEnv = textOf(define['process.env.NODE_ENV']) ?? given.NODE_ENV ?? mode
  const metaEnv = readMetaEnv(options, mode, nodeEnv)
  const values: Record<string, string | undefined> = { NODE_ENV: nodeEnv, MODE: mode }
  for (const name of configEnv) if (!Object.hasOwn(values, name)) values[name] = given[name]
  return {
    metaEnv,
    variables: Object.fromEntries(
      Object.entries(values).filter(([, value]) => value !== undefined),
    ) as Record<string, string>,
    defines: toDefines(define, metaEnv, nodeEnv),
    find(dotted) {
      if (Object.hasOwn(define, dotted)) return fromDefine(define[dotted])
      if (dotted === 'import.meta.env') return { kind: 'data', data: metaEnv }
      const [owner, name] = splitLast(dotted)
      if (owner === 'import.meta.env') return { kind: 'data', data: ownValue(metaEnv, name) }
      if (owner !== 'process.env') return undefined
      return Object.hasOwn(values, name) ? { kind: 'data', data: values[name] } : { kind: 'unlisted', name }
    },
  }
}

function readMetaEnv(
  { define = {}, env }: KnownOptions,
  mode: string,
  nodeEnv: string,
): Record<string, unknown> {
  const PROD = nodeEnv === 'production'
  const whole = toData(define['import.meta.env']) as object | undefined
  const metaEnv: Record<string, unknown> = { MODE: mode, PROD, DEV: !PROD, ...env, ...whole }
  for (const [key, value] of Object.entries(define)) {
    const [owner, name] = splitLast(key)
    if (owner === 'import.meta.env') metaEnv[name] = toData(value)
  }
  return metaEnv
}

function toDefines(
  define: Record<string, unknown>,
  metaEnv: object,
  nodeEnv: string,
): Record<string, string> {
  const own = { 'import.meta.env': metaEnv, 'process.env.NODE_ENV': JSON.stringify(nodeEnv), ...define }
  const texts = Object.entries(own).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined))
}

function ownValue(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function splitLast(dotted: string): [owner: string, name: string] {
  const at = dotted.lastIndexOf('.')
  return [dotted.slice(0, Math.max(0, at)), dotted.slice(at + 1)]
}

function fromDefine(value: unknown): Known {
  if (typeof value !== 'string') return { kind: 'data', data: value }
  const data = parseJson(value)
  return data === undefined ? { kind: 'expression', code: value } : { kind: 'data', data }
}

function toData(value: unknown): unknown {
  return typeof value === 'string' ? parseJson(value) : value
}

function textOf(value: unknown): string | undefined {
  const data = toData(value)
  return typeof data === 'string' ? data : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What our package exports as plain data. */
export const ownData: Readonly<Record<string, object>> = {
  CpuInstance,
  CudaVersion,
  DataCenter,
  GpuGroup,
  GpuType,
}

/** Our functions that return their argument with a `kind`. */
export const ownHelpers: Readonly<Record<string, string>> = {
  NetworkVolume: 'network',
  GlobalVolume: 'global',
  PodTemplate: 'template',
}
