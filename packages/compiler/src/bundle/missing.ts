import { AppError } from '@flash/protocol'
import { isFile } from './files.ts'
import { locateImport } from './locate-import.ts'
import { isPath } from './specifier.ts'

export interface MissingContext {
  shownPath(file: string): string
  find(file: string): string | null
}

/**
 * An import that leads nowhere, at its line.
 *
 * - `error`: what is known of it besides.
 */
export function toMissing(
  specifier: string,
  importer: string,
  context: MissingContext,
  error?: AppError,
): AppError {
  const shown = context.shownPath(importer)
  const place = findPlace(specifier, importer, shown, context)
  if (error) {
    const { code, message, hint, at, frame, data, cause } = error
    return new AppError(code, {
      message,
      hint,
      data,
      cause,
      at: at ?? place?.at,
      frame: at ? frame : place?.frame,
    })
  }
  return new AppError('IMPORT_NOT_FOUND', {
    message: `${shown} imports ${JSON.stringify(specifier)}, which cannot be found`,
    hint: hintFor(specifier),
    ...place,
  })
}

function findPlace(specifier: string, importer: string, shown: string, { find }: MissingContext) {
  if (!isFile(importer) || importer.endsWith('package.json')) return undefined
  const code = find(importer)
  return code === null ? undefined : locateImport(code, importer, shown, specifier)
}

/** Names that plugins of frameworks give to modules that are no files. */
const virtual = /^(?:[a-z][\w-]*:|[$#~]|@\/|(?:astro|nuxt|nitro|svelte|vue|solid)\b)/i

function hintFor(specifier: string): string {
  if (isPath(specifier)) return 'correct the path of the import'
  return virtual.test(specifier)
    ? 'it looks like a module that a framework or a plugin makes: add its plugin to the worker build, or import what it stands for'
    : 'correct the import'
}
