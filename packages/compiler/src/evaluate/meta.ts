import { MagicString } from 'magic-string'
import type { Node } from 'oxc-parser'
import { walk } from 'oxc-walker'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseModule } from '../parse.ts'

const mentioned = /\bimport\s*\.\s*meta\s*\.\s*(?:url|dirname|filename)\b/

export interface Edited {
  code: string
  map: ReturnType<MagicString['generateMap']>
}

/** `import.meta.url` and the like as text: in the bundle every module would be the bundle. */
export function pinPlaces(code: string, file: string): Edited | null {
  if (!mentioned.test(code)) return null
  const text = new MagicString(code)
  const module = parseModule(code, file)
  walk(module.program, {
    enter(node) {
      const value = placeOf(node, file)
      if (value !== undefined) text.overwrite(node.start, node.end, JSON.stringify(value))
    },
  })
  return text.hasChanged()
    ? { code: text.toString(), map: text.generateMap({ source: file, hires: 'boundary' }) }
    : null
}

function placeOf(node: Node, file: string): string | undefined {
  if (node.type !== 'MemberExpression' || node.object.type !== 'MetaProperty' || node.computed)
    return undefined
  if (node.property.type !== 'Identifier') return undefined
  const places: Record<string, string> = {
    url: pathToFileURL(file).href,
    dirname: dirname(file),
    filename: file,
  }
  return Object.hasOwn(places, node.property.name) ? places[node.property.name] : undefined
}
