import { type ArgsDef, type ParsedArgs, parseArgs } from 'citty'
import { UsageError } from './print.ts'

/** Reads the options of a command; what it does not have is a `UsageError`, and so is an option without its value. */
export function parseOptions<T extends ArgsDef>(args: string[], definitions: T): ParsedArgs<T> {
  for (const argument of args) checkSwitch(argument, definitions)
  const parsed = parseArgs<T>(args, definitions)
  const known = Object.keys(definitions)
  const list = known.map((name) => `--${name}`).join(', ')
  for (const [name, value] of Object.entries(parsed as Record<string, unknown>)) {
    if (name === '_') continue
    if (!known.includes(name)) throw new UsageError(`there is no option --${name}; there are: ${list}`)
    if (definitions[name]!.type === 'string' && value === '') throw new UsageError(`--${name} needs a value`)
  }
  const [extra] = parsed._
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many; the options are: ${list}`)
  return parsed
}

/** A switch that was written as off must not be taken for on. */
function checkSwitch(argument: string, definitions: ArgsDef): void {
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(argument) ?? []
  if (name === undefined || !Object.hasOwn(definitions, name)) return
  if (definitions[name]!.type !== 'boolean' || value === 'true' || value === 'false') return
  throw new UsageError(`--${name} is "${value}"; give true or false, or nothing for true`)
}
