import { readFile } from 'node:fs/promises'
import { findRemovedText, piecesOf } from '@flash/compiler'
import type { PluginContext } from '../context.ts'
import type { ModuleGraph } from './chain.ts'

/** Text of functions, with the file it is from. */
export type BodyText = Map<string, string>

/** The text of all functions of the project that their stubs do not have. */
export async function readBodyText({ project }: PluginContext): Promise<BodyText> {
  const text: BodyText = new Map()
  const files = new Set(project.functions().map(({ file }) => file))
  for (const file of files) {
    const analysis = await project.analyze(await readFile(file, 'utf8'), file)
    if (analysis) for (const piece of findRemovedText(analysis)) text.set(piece, file)
  }
  return text
}

/** Pieces of functions that a text of the app holds and that no module of the app says by itself. */
export function findBodyText(
  context: PluginContext,
  graph: ModuleGraph & { getModuleIds(): Iterable<string> },
  text: string,
  bodies: BodyText,
): string[] {
  const found = [...piecesOf(text)].filter((piece) => bodies.has(piece))
  if (found.length === 0) return found
  const own = [...graph.getModuleIds()].map((id) => codeOf(context, graph, id))
  return found.filter((piece) => !own.some((code) => code.includes(piece)))
}

/** What a module may say: of one with functions only its stub. Whoever writes `?raw` wants the text in the page. */
function codeOf({ project, stubs }: PluginContext, graph: ModuleGraph, id: string): string {
  const [file, query] = id.split('?', 2) as [string, string?]
  const isText = query !== undefined && /(?:^|&)raw\b/.test(query)
  if (project.hasFunctions(file) && !isText) return stubs.get(file) ?? ''
  return graph.getModuleInfo(id)?.code ?? ''
}
