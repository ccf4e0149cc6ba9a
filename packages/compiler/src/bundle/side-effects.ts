import type { FileCache } from './files.ts'

/** What `sideEffects` of a `package.json` says of a file; `'ask'` when it names files by patterns. */
export type SideEffects = boolean | 'ask' | undefined

export function createSideEffects(
  files: Pick<FileCache, 'find'>,
  packageFileOf: (file: string) => string | null,
): (file: string) => SideEffects {
  const known = new Map<string, SideEffects>()
  return (file) => {
    const packageFile = packageFileOf(file)
    if (packageFile === null) return undefined
    if (!known.has(packageFile)) known.set(packageFile, read(files.find(packageFile)))
    return known.get(packageFile)
  }
}

function read(text: string | null): SideEffects {
  try {
    const { sideEffects } = JSON.parse(text ?? '{}') as { sideEffects?: unknown }
    return typeof sideEffects === 'boolean' || sideEffects === undefined ? sideEffects : 'ask'
  } catch {
    return undefined
  }
}
