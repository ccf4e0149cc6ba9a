import { AppError } from '@flash/protocol'

export interface PluginOptions {
  /** Where functions run in development; `local` is this machine. */
  target?: 'local'
  /** How a local worker is kept apart from the dev server: a process of its own (default), a thread, or not at all. */
  isolation?: 'process' | 'thread' | 'none'
  /** Start local workers with a debugger listening; also on when the dev server itself is debugged. */
  inspect?: boolean
  /** The largest body a call from a page may have, in bytes; 10_000_000 when omitted. */
  maxBodyBytes?: number
  /** Variables that config expressions may read while they are evaluated, beside `NODE_ENV` and `MODE`. */
  configEnv?: string[]
}

export interface ResolvedOptions {
  target: 'local'
  isolation: 'process' | 'thread' | 'none'
  inspect: boolean
  maxBodyBytes: number
  configEnv: string[]
}

type Check = [is: (value: unknown) => boolean, wanted: string]

const oneOf = (...values: string[]): Check => [
  (value) => values.includes(value as string),
  values.map((value) => `"${value}"`).join(', '),
]

const checks: Record<keyof PluginOptions, Check> = {
  target: oneOf('local'),
  isolation: oneOf('process', 'thread', 'none'),
  inspect: [(value) => typeof value === 'boolean', 'true or false'],
  maxBodyBytes: [
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
    'a number of bytes above 0',
  ],
  configEnv: [
    (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
    'a list of names',
  ],
}

/** Fills in defaults; every option that is unknown or wrong is named, with what is allowed. */
export function resolveOptions(options: PluginOptions = {}): ResolvedOptions {
  const problems = Object.entries(options).flatMap(([name, value]) => {
    if (!Object.hasOwn(checks, name))
      return [`"${name}" is no option; there are: ${Object.keys(checks).join(', ')}`]
    const [is, wanted] = checks[name as keyof PluginOptions]
    return value === undefined || is(value)
      ? []
      : [`"${name}" is ${JSON.stringify(value)}; allowed: ${wanted}`]
  })
  if (problems.length > 0) {
    throw new AppError('BAD_OPTION', {
      message: `flash(): ${problems.join('; ')}; correct the options in vite.config.ts`,
      hint: 'correct the options of flash() in vite.config.ts',
    })
  }
  return {
    target: options.target ?? 'local',
    isolation: options.isolation ?? 'process',
    inspect: options.inspect ?? false,
    maxBodyBytes: options.maxBodyBytes ?? 10_000_000,
    configEnv: options.configEnv ?? [],
  }
}
