import { readFile } from 'node:fs/promises'
import { findRemovedText, piecesOf } from '@flash/compiler'
import type { PluginContext } from '../context.ts'
import type { ModuleGraph } from './chain.ts'

/** A file with functions, and what of it no page may have. */
export interface Bodies {
  file: string
  /** Text that the stub does not have. */
  pieces: Set<string>
  /** How the beginning of the file looks where it is written into a page as an address. */
  inlined: string
}

/** So many characters tell a file apart. */
const INLINED_CHARACTERS = 80

export async function readBodies({ project }: PluginContext): Promise<Bodies[]> {
  const files = [...new Set(project.functions().map(({ file }) => file))]
  const all: Bodies[] = []
  for (const file of files) {
    const code = await readFile(file, 'utf8')
    const analysis = await project.analyze(code, file)
    if (!analysis) continue
    const inlined = Buffer.from(code).toString('base64').slice(0, INLINED_CHARACTERS)
    all.push({ file, pieces: findRemovedText(analysis), inlined })
  }
  return all
}

export type WholeGraph = ModuleGraph & { getModuleIds(): Iterable<string> }

/** Tells which pieces no module of the app says by itself; the modules are read at the first question. */
export function createForeign(context: PluginContext, graph: WholeGraph): (pieces: string[]) => string[] {
  let codes: string[] | undefined
  let known: Set<string> | undefined
  return (pieces) => {
    // Most of the time nothing is asked, and reading all modules costs more than the rest of the check.
    if (pieces.length === 0) return []
    codes ??= [...graph.getModuleIds()].map((id) => codeOf(context, graph, id))
    known ??= new Set(codes.flatMap((code) => [...piecesOf(code)]))
    const unknown = pieces.filter((piece) => !known!.has(piece))
    // What is said as a part of something longer is found only by looking.
    return unknown.filter((piece) => !codes!.some((code) => code.includes(piece)))
  }
}

/** What a module may say: of one with functions only its stub. Whoever writes `?raw` wants the text in the page. */
function codeOf({ project, stubs }: PluginContext, graph: WholeGraph, id: string): string {
  const [file, query = ''] = id.split('?', 2) as [string, string?]
  if (/(?:^|&)(?:worker|sharedworker)\b/.test(query)) return ''
  const isText = /(?:^|&)raw\b/.test(query)
  if (project.hasFunctions(file) && !isText) return stubs.get(file) ?? ''
  return graph.getModuleInfo(id)?.code ?? ''
}

/**
 * A piece of a function that a program for the browser holds; `null` for none.
 *
 * One text that two programs say alike may be chance: a sentence, a media type. Two of one file are not.
 */
export function findBodyIn(
  code: string,
  bodies: readonly Bodies[],
  foreign: (pieces: string[]) => string[],
): { file: string; piece: string } | null {
  const inlined = bodies.find(
    ({ inlined }) => inlined.length === INLINED_CHARACTERS && code.includes(inlined),
  )
  if (inlined) return { file: inlined.file, piece: 'the whole file' }
  const found = piecesOf(code)
  for (const { file, pieces } of bodies) {
    const there = foreign([...pieces].filter((piece) => found.has(piece)))
    if (there.length > 1 || (there.length === 1 && pieces.size === 1 && there[0]!.length >= 40))
      return { file, piece: there[0]! }
  }
  return null
}
