import { parseSync } from 'vite'
import { type Comment, commentsOf, isCode, type Node, type Source } from './source.ts'

/** A comment that promises something says where that is kept track of: `TODO(#12)`, or with an address. */
export function findBareTodos(sources: Source[]): string[] {
  return eachComment(sources).flatMap(({ file, line, text }) =>
    [...text.matchAll(/\b(?:TODO|FIXME)\b(?!\((?:#\d+|https?:\/\/[^\s)]+)\))/g)].map(
      ({ 0: word }) => `${file}:${line}: ${word} without an issue`,
    ),
  )
}

/** What switches a check off is for one line, and says why. */
export function findBareSuppressions(sources: Source[]): string[] {
  const allowed =
    /^\s*(?:oxlint-disable-next-line [\w/, -]+ -- \S|@ts-expect-error \S|v8 ignore (?:start|stop|next) --)/
  const switching =
    /\b(?:oxlint|eslint)-|@ts-(?:expect-error|ignore|nocheck)\b|\bbiome-ignore\b|\bv8 ignore\b/
  return eachComment(sources).flatMap(({ file, line, text }) => {
    const lines = text.split('\n').filter((one) => switching.test(one) && !allowed.test(one))
    return lines.map((one) => `${file}:${line}: ${one.trim()}`)
  })
}

/** Code that was commented out instead of deleted. */
export function findDeadCode(sources: Source[]): string[] {
  return eachComment(sources).flatMap(({ file, line, text }) => {
    // A fence holds an example.
    const prose = text.replace(/```[^]*?```/g, '')
    const code = [prose, ...prose.split('\n')].find(isStatement)
    return code ? [`${file}:${line}: ${code.trim()}`] : []
  })
}

function eachComment(sources: Source[]): (Comment & { file: string })[] {
  return sources
    .filter(isCode)
    .flatMap((source) => commentsOf(source).map((comment) => ({ ...comment, file: source.file })))
}

/**
 * Whether a comment is a statement and not a sentence.
 * "return early" parses too, so something has to be there that prose does not have: `f(`, `=`, `{`, `a.b`, `;` at the end.
 */
function isStatement(text: string): boolean {
  if (!/\w[([]|=|[{}]|\w\.\w|;\s*$/.test(text)) return false
  const asModule = parseSync('comment.ts', text)
  if (asModule.errors.length === 0)
    return asModule.program.body.some((node) => isLive(node as unknown as Node))
  const { errors, program } = parseSync('comment.ts', `async function* f() { for (;;) { ${text}\n } }`)
  return errors.length === 0 && (program.body as unknown[]).length === 1 && isLive(bodyOf(program.body[0]))
}

const live =
  /^(?:Import|Export|Variable|Function|Class|If|For|While|DoWhile|Return|Throw|Try|Switch|TSInterface|TSTypeAlias)/
const called = /^(?:Call|New|Assignment|Update|Await|Yield)/

function isLive({ type, expression, body }: Node): boolean {
  if (type === 'BlockStatement') return (body as Node[]).some(isLive)
  return type === 'ExpressionStatement' ? called.test((expression as Node).type) : live.test(type)
}

/** The block inside of the loop that `isStatement` wraps around. */
function bodyOf(wrapper: unknown): Node {
  const { body } = wrapper as { body: { body: { body: Node }[] } }
  return body.body[0]!.body
}
