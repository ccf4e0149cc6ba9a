import { createRouteTable } from '@flash/dev'
import type { UnpluginOptions } from 'unplugin'
import { AppError, findVariableClashes, runsInServer, type VariableClash } from '@flash/protocol'
import type { PluginContext } from '../context.ts'
import { combineErrors } from '../host-error.ts'
import { forget } from './build.ts'

/** Knows all functions of the project before the first module is asked for; in a build, any broken file ends it. */
export function scanModules(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:scan',
    async buildStart() {
      if (context.testing) return
      await (context.scanned ??= context.project.scan())
      if (context.command === 'build') await failOnProblems(context)
    },
    watchChange() {
      // Only files of the app are watched; one that was made beside them may have functions too.
      if (context.command === 'build') context.scanned = null
    },
  }
}

async function failOnProblems(context: PluginContext): Promise<void> {
  const found = await context.project.check()
  const functions = context.project.functions()
  const names = functions.filter((fact) => !runsInServer(fact)).map(({ endpoint }) => endpoint)
  const problems = [
    ...found,
    ...createRouteTable(functions).problems,
    ...findVariableClashes(names).map(tellClash),
  ]
  if (problems.length === 0) return
  await forget(context)
  throw combineErrors(problems, context.root)
}

function tellClash({ variable, endpoints }: VariableClash): AppError {
  return new AppError('DUPLICATE_ENDPOINT', {
    message: `the endpoints ${endpoints.map((name) => `"${name}"`).join(' and ')} would both have the variable ${variable}`,
    hint: 'rename one of them: letters and digits have to differ, whatever their case',
  })
}
