import type { EndpointPlan } from './plan.ts'

/** The program of a bundle; no file has this name. */
export const ENTRY = '\0flash:entry'

const functionFile = /^flash:functions\/(\d+)$/

const START = '__flash_start'

/**
 * The program of an endpoint's bundle. Files go by number in it, so that it is the same in every folder.
 *
 * The runtime comes first: what it sets up is there before a line of the user's runs. It is started by `callStart`.
 */
export function entryCode({ files, info }: EndpointPlan): string {
  const imports = files.map(
    (_, index) => `import { __flash_functions as f${index} } from 'flash:functions/${index}'\n`,
  )
  return [
    `import { startBundle } from 'unplugin-flash/internal/bundle'\n`,
    ...imports,
    `export const ${START} = () => startBundle(${JSON.stringify(info)}, [${files.map((_, index) => `f${index}`).join(', ')}])\n`,
  ].join('')
}

/** The file that the program means, or nothing when the specifier is not from there. */
export function findFunctionFile({ files }: EndpointPlan, specifier: string): string | undefined {
  const index = functionFile.exec(specifier)?.[1]
  return index === undefined ? undefined : files[Number(index)]
}

const exported = new RegExp(`export\\s*\\{\\s*(?:([\\w$]+)\\s+as\\s+)?${START}\\s*\\}\\s*;?`)

/**
 * Starts the program in the last line of its bundle instead of exporting how to.
 *
 * By then every module was evaluated, also those that are only imported while functions run: some engines put them at the end.
 */
export function callStart(code: string): string {
  return code.replace(exported, (_, local: string = START) => `${local}();`)
}
