import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'vite'

/** One file of the repository; `file` is relative to its root, with `/`. */
export interface Source {
  file: string
  text: string
}

export interface Comment {
  text: string
  line: number
}

export interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

const ignored = /^(?:node_modules|dist|coverage|\.git|\.flash|\.vite|\.tmp)$/
const written = /\.(?:[cm]?[jt]sx?|json|md|html|css|ya?ml|sh)$|\/run$/

/** Everything that people wrote, in the order of its names. Fixtures are input of tests and may break any rule. */
export function readSources(root: string, folder = ''): Source[] {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const file = folder ? `${folder}/${name}` : name
      if (ignored.test(name) || name === 'fixtures') return []
      if (statSync(join(root, file)).isDirectory()) return readSources(root, file)
      return written.test(`/${name}`) ? [{ file, text: readFileSync(join(root, file), 'utf8') }] : []
    })
}

export const isCode = ({ file }: Source) => /\.[cm]?[jt]sx?$/.test(file)

const parsed = new Map<string, ReturnType<typeof parseSync>>()

function parse({ file, text }: Source) {
  const key = `${file}\0${text}`
  const known = parsed.get(key) ?? parseSync(file, text)
  parsed.set(key, known)
  return known
}

/** What a file imports in any way, types included. */
export function importsOf(source: Source): string[] {
  const { staticImports, staticExports } = parse(source).module
  const found = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...nodesOf(source).flatMap((node) =>
      node.type === 'ImportExpression' || node.type === 'TSImportType' ? stringOf(node.source) : [],
    ),
  ]
  return [...new Set(found)]
}

function stringOf(node: unknown): string[] {
  const { type, value } = node as { type: string; value?: unknown }
  return type === 'Literal' && typeof value === 'string' ? [value] : []
}

/** Comments, where line comments below each other are one. */
export function commentsOf(source: Source): Comment[] {
  const all: (Comment & { end: number })[] = []
  for (const { type, value, start, end } of parse(source).comments) {
    const line = lineAt(source.text, start)
    const last = all.at(-1)
    const follows = last && type === 'Line' && /^[\t ]*\r?\n[\t ]*$/.test(source.text.slice(last.end, start))
    const text = type === 'Line' ? value : value.replace(/^[\t ]*\*/gm, '')
    if (follows) Object.assign(last, { text: `${last.text}\n${text}`, end })
    else all.push({ text, line, end: type === 'Line' ? end : Number.NaN })
  }
  return all.map(({ text, line }) => ({ text, line }))
}

/** Every node of the tree, parents first. */
export function nodesOf(source: Source): Node[] {
  return walk(parse(source).program)
}

function walk(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(walk)
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.values(value).flatMap(walk)
  return typeof (value as Node).type === 'string' ? [value as Node, ...inside] : inside
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
