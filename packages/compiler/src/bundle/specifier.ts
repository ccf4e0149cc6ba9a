/** A path, in contrast to what a package, an alias or a plugin gives. */
export function isPath(specifier: string): boolean {
  return /^(?:\.\.?(?:\/|$)|\/|[A-Za-z]:[\\/])/.test(specifier)
}

/** The package that a specifier names; `null` when no package can have such a name: `virtual:x`, `@/x`, `$app/x`, `#x`. */
export function packageOf(specifier: string): string | null {
  return /^((?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9-][\w.~-]*)(?:\/|$)/i.exec(specifier)?.[1] ?? null
}

/** `./a.txt?raw` → `['./a.txt', '?raw']`. */
export function splitQuery(specifier: string): [path: string, query: string] {
  const at = specifier.indexOf('?')
  return at < 0 ? [specifier, ''] : [specifier.slice(0, at), specifier.slice(at)]
}
