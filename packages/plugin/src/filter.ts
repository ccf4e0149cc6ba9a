export interface TransformFilter {
  id: { include: RegExp; exclude: RegExp }
  code: RegExp
}

const FILES = /\.(?:[cm]?[jt]sx?|vue|svelte|astro)(?:\?|$)/
/** Names may be written with escapes: `\u0072emote`. */
const WORDS = ['unplugin-flash', '\\b(?:remote|endpoint)\\b', '\\\\[ux]']

/** Which modules are looked at; read by hosts when they start, so it is completed before. */
export function createFilter(): TransformFilter {
  return { id: { include: FILES, exclude: /\/unplugin-flash\/dist\/|^\0/ }, code: wordsFilter([]) }
}

/** `aliases`: names under which the project's own modules pass `remote` on. */
export function wordsFilter(aliases: string[]): RegExp {
  const escaped = aliases.map((word) => word.replace(/[^\w]/g, '\\$&'))
  return new RegExp([...WORDS, ...escaped].join('|'))
}
