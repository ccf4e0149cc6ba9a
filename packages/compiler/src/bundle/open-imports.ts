import { AppError } from '@flash/protocol'
import { isInstalled } from '../locate.ts'
import { type BuildContext, shownPath } from './context.ts'
import { placeAt } from './locate-import.ts'
import type { Notes } from './notes.ts'

/** What a bundler cannot follow, and a host with plugins of its own can; the group tells one from another. */
const forms: [pattern: RegExp, what: string][] = [
  [/\bimport\s*\.\s*meta\s*\.\s*glob\s*\(\s*\[?\s*["'`]([^"'`]*)/g, 'files by a pattern'],
  [/\bimport\s*\(\s*`(\.{1,2}\/[^`$]*)\$\{/g, 'a file whose name is only known when it runs'],
]

/** Imports that are in the finished code and would find nothing where it runs, at their place in the project. */
export function findOpenImports(context: BuildContext, { files }: Notes, code: string): AppError[] {
  return forms.flatMap(([pattern, what]) => {
    const left = new Set(Array.from(code.matchAll(pattern), ([, key]) => key))
    return left.size === 0
      ? []
      : [...files.keys()].flatMap((file) => findIn(context, file, { pattern, what, left }))
  })
}

interface Wanted {
  pattern: RegExp
  what: string
  left: ReadonlySet<string | undefined>
}

function findIn(context: BuildContext, file: string, { pattern, what, left }: Wanted): AppError[] {
  const isOurs = !isInstalled(context.root, file) && !context.own.includes(file)
  const text = isOurs ? (context.files.find(file) ?? '') : ''
  const found = [...text.matchAll(pattern)].filter(([, key]) => left.has(key))
  const shown = shownPath(context, file)
  return found.map(
    ({ index, 0: form }) =>
      new AppError('IMPORT_NOT_STATIC', {
        message: `${shown} imports ${what}, and a worker bundle has only what was named when it was made`,
        hint: 'write the imports out, each with its name, or add a plugin that does so to the worker build',
        ...placeAt(text, shown, index, index + form.length),
      }),
  )
}
