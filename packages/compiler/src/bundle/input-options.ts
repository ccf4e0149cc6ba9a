import { AppError } from '@flash/protocol'

type Options = Readonly<Record<string, unknown>>

/** Options of the engine that are not the user's to give, and what is there instead. */
const refused: Readonly<Record<string, string>> = {
  input: 'each endpoint has one program, which is made for it',
  plugins: 'plugins have an option of their own: a function that makes them for each endpoint',
  platform: 'workers run on Node',
  external: 'what stays outside is listed in `dependencies` of an endpoint',
  cwd: 'it is the root of the project',
  output: 'the folders are `.flash/build/<endpoint>`, with one file of code each',
  watch: 'the build of the app watches the files of workers too',
  preserveEntrySignatures: 'a program exports nothing',
}

/** Throws `BAD_OPTION` naming every option that would break the build. */
export function checkInputOptions(options: Options): void {
  const wrong = Object.keys(options).filter((name) => Object.hasOwn(refused, name))
  if (wrong.length === 0) return
  throw new AppError('BAD_OPTION', {
    message: `the worker build takes no bundler option ${wrong.map((name) => `\`${name}\`: ${refused[name]}`).join('; ')}`,
    hint: 'take it out of the options of the worker build',
  })
}

/** The user's options over ours; where both are objects they are combined. */
export function mergeOptions<T extends object>(ours: T, theirs: Options): T {
  const merged = { ...ours } as Record<string, unknown>
  for (const [name, value] of Object.entries(theirs)) {
    const before = merged[name]
    merged[name] = isPlain(before) && isPlain(value) ? mergeOptions(before, value) : value
  }
  return merged as T
}

function isPlain(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
