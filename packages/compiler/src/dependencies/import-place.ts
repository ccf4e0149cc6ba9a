import { readFileSync } from 'node:fs'
import { type CodePlace, findRequest, placeAt } from '../bundle/locate-import.ts'

/** Without a place when the text of the file does not show it. */
export interface ImportPlace extends Partial<CodePlace> {
  /** The file cannot do without. */
  isStatic: boolean
}

/** Finds an import in the text of a file as it is on disk, called `shown`. */
export function findImport(file: string | null, shown: string, specifier: string): ImportPlace {
  if (file === null) return { isStatic: false }
  const code = readText(file)
  const request = findRequest(code, file, specifier)
  if (!request) return { isStatic: false }
  return { ...placeAt(code, shown, request.start, request.end), isStatic: request.isStatic }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
