import type { SourcePosition } from '@flash/protocol'
import { readFileSync } from 'node:fs'
import { codeFrame } from '../frame.ts'

export interface ImportPlace {
  /** Absent when the text of the file does not show it. */
  at?: SourcePosition
  frame?: string
  /** Written as `import … from` or `export … from`, so the file cannot do without. */
  isStatic: boolean
}

/** Finds an import in the text of a file as it is on disk, called `shown`. */
export function findImport(file: string | null, shown: string, specifier: string): ImportPlace {
  const code = file === null ? '' : readText(file)
  const quoted = String.raw`(['"\x60])${specifier.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)}\1`
  const found = new RegExp(String.raw`\b(?:from|import)\s*${quoted}`).exec(code)
  const named = found ?? new RegExp(quoted).exec(code)
  if (!named) return { isStatic: false }
  const end = named.index + named[0].length
  const start = end - specifier.length - 2
  const lines = code.slice(0, start).split('\n')
  const at = { file: shown, line: lines.length, column: lines.at(-1)!.length + 1 }
  return { at, frame: codeFrame(code, start, end), isStatic: found !== null }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
