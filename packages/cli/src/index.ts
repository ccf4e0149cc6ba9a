import { stripVTControlCharacters } from 'node:util'
import { type CommandDef, defineCommand, renderUsage, runCommand } from 'citty'
import { emulator } from './commands/emulator.ts'
import { start } from './commands/start.ts'
import { createProcessIo, type Io } from './io.ts'
import { printError, printErrorJson, UsageError } from './print.ts'

const commands: Record<string, CommandDef<any>> = { emulator, start }

/**
 * Runs `flash` with its arguments.
 *
 * - returns the exit code: 0, 1 when the command failed, 2 when what was typed cannot be meant.
 */
export async function main(args: string[], version: string, io: Io = createProcessIo()): Promise<number> {
  try {
    const [first, ...rest] = args
    if (first === '--version' || first === '-v') io.print(version)
    else if (first === undefined || isHelp(first)) io.print(await usage(root(version)))
    else await runNamed(first, rest, root(version), io)
    return 0
  } catch (error) {
    io.warn(args.includes('--json') ? printErrorJson(error) : printError(error))
    return error instanceof UsageError ? 2 : 1
  }
}

function root(version: string): CommandDef {
  const meta = { name: 'flash', version, description: 'Remote functions for apps built with Vite' }
  return defineCommand({ meta, subCommands: commands })
}

async function runNamed(name: string, rest: string[], parent: CommandDef, io: Io): Promise<void> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command)
    throw new UsageError(`there is no command "${name}"; there is: ${Object.keys(commands).join(', ')}`)
  if (rest.some(isHelp)) io.print(await usage(command, parent))
  else await runCommand(command, { rawArgs: rest, data: io })
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h'
}

async function usage(command: CommandDef<any>, parent?: CommandDef<any>): Promise<string> {
  return stripVTControlCharacters(await renderUsage(command, parent)).replace(/ +$/gm, '')
}
