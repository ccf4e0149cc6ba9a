import { pathToFileURL, fileURLToPath } from 'node:url'
import { MagicString } from 'magic-string'
import { type Node, parseSync } from 'oxc-parser'
import { walk } from 'oxc-walker'
import { toPosix } from '../locate.ts'
import type { Edited } from './hooks.ts'

/** What text must have for `findAssetUrls` to find anything in it. */
export const mayNameAsset = /\bnew\s+URL\s*\(/

/** `new URL('./model.onnx', import.meta.url)`. */
export interface AssetUrl {
  /** Of the literal, quotes included. */
  start: number
  end: number
  text: string
  /** Absolute. */
  file: string
  /** What follows the path: `?x#y`. */
  rest: string
}

/** Files that a module names as URLs beside itself, whether they are there or not. */
export function findAssetUrls(code: string, file: string): AssetUrl[] {
  if (!code.includes('import.meta.url')) return []
  const found: AssetUrl[] = []
  walk(parseSync(file, code).program, {
    enter(node) {
      const literal = literalOf(node)
      const target = literal && targetOf(literal.text, file)
      if (target) found.push({ ...literal, ...target })
    },
  })
  return found
}

function literalOf(node: Node): Pick<AssetUrl, 'start' | 'end' | 'text'> | null {
  if (node.type !== 'NewExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'URL')
    return null
  const [first, second] = node.arguments
  if (!first || !second || !isModuleUrl(second)) return null
  const text = textOf(first)
  return text === null ? null : { start: first.start, end: first.end, text }
}

function textOf(node: Node): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  if (node.type !== 'TemplateLiteral' || node.expressions.length > 0) return null
  return node.quasis[0]!.value.cooked
}

function isModuleUrl(node: Node): boolean {
  return (
    node.type === 'MemberExpression' &&
    node.object.type === 'MetaProperty' &&
    node.property.type === 'Identifier' &&
    node.property.name === 'url'
  )
}

function targetOf(text: string, file: string): Pick<AssetUrl, 'file' | 'rest'> | null {
  // An address of its own, one from the origin, or a folder is no file beside the module.
  if (/^(?:[a-z][a-z\d+.-]*:|[/\\#?])/i.test(text) || /(?:^|\/)\.{0,2}(?:[?#]|$)/.test(text)) return null
  const base = pathToFileURL(file)
  const url = new URL(text, base)
  const rest = url.search + url.hash
  url.search = ''
  url.hash = ''
  try {
    return { file: toPosix(fileURLToPath(url)), rest }
  } catch {
    return null
  }
}

/** The module with other texts in its URLs. */
export function replaceUrls(code: string, file: string, urls: [AssetUrl, path: string][]): Edited {
  const text = new MagicString(code)
  for (const [{ start, end, rest }, path] of urls)
    text.overwrite(start, end, JSON.stringify(`./${path}${rest}`))
  return { code: text.toString(), map: text.generateMap({ source: file, hires: 'boundary' }) }
}
