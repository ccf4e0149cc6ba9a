import { commentsOf, isCode, lineAt, nodesOf, type Source } from './source.ts'

/** How something was made is no part of what it is. */
const making: [RegExp, string][] = [
  [/\b(?:claude|anthropic|chatgpt|copilot|codex|gemini)\b/i, 'a tool it was written with'],
  [
    /\b(?:(?:written|generated|made|created) (?:by|with) (?:an? )?(?:ai|llm|assistant|language model)|as an ai|ai[- ](?:generated|written))\b/i,
    'a tool it was written with',
  ],
  [
    /\b(?:co-authored-by|sub-?agents?|(?:was|as) prompted|prompt engineering|context window)\b/i,
    'a conversation',
  ],
  [
    /\b(?:this|previous|next|earlier|later|another|last) session (?:will|did|has|was|should|of work)\b/i,
    'a conversation',
  ],
  [/\b(?:design-lessons|vite-facts|features\.md|style\.md|architecture\.md)\b/, 'a working paper'],
  [/\b(?:[A-Z]-\d{3}-\d{2}|TST-\d{2})\b/, 'a row of a plan'],
]

/** Comments of code and the whole of every other text. */
export function findMakingOf(sources: Source[]): string[] {
  return sources.flatMap((source) =>
    textsOf(source).flatMap(({ text, line }) =>
      making.flatMap(([pattern, what]) => {
        const hit = pattern.exec(text)
        return hit ? [`${source.file}:${line + lineAt(text, hit.index) - 1}: "${hit[0]}" is ${what}`] : []
      }),
    ),
  )
}

/** Folders that exist on one machine only; `ann` lives in samples, and the platform has one of its own in the home of root. */
export function findMachinePaths(sources: Source[]): string[] {
  const pattern =
    /(?<![\w.@/-])(?:\/(?:home|Users|work)\/(?!ann\b)[\w.-]+|\/root\/(?!\.runpod\b)[\w.-]+|[A-Z]:\\Users\\)/g
  return sources.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map(({ 0: path, index }) => `${file}:${lineAt(text, index)}: ${path}`),
  )
}

/** Tests that do not run, or keep others from running. */
export function findHeldTests(sources: Source[]): string[] {
  const held = /^(?:only|skip|todo)$/
  const runner = /^(?:test|it|describe|suite|bench)\b/
  return sources.filter(isCode).flatMap((source) =>
    nodesOf(source).flatMap(({ type, object, property, start, end }) => {
      if (type !== 'MemberExpression') return []
      const { name } = property as { name?: string }
      const { start: from, end: to } = object as { start: number; end: number }
      const isHeld = held.test(name ?? '') && runner.test(source.text.slice(from, to))
      return isHeld ? [`${source.file}:${lineAt(source.text, start)}: ${source.text.slice(start, end)}`] : []
    }),
  )
}

function textsOf(source: Source) {
  return isCode(source) ? commentsOf(source) : [{ text: source.text, line: 1 }]
}
