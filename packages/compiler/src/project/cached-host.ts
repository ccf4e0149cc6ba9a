import type { CompilerHost } from '../types.ts'

/** A host that reads and resolves once, until told that something changed. */
export interface CachedHost extends CompilerHost {
  forgetFile(file: string): void
  /** A file has come or gone, so any specifier may lead elsewhere. */
  forgetResolutions(): void
  forgetAll(): void
}

export function createCachedHost(host: CompilerHost): CachedHost {
  const texts = new Map<string, Promise<string | null>>()
  const resolutions = new Map<string, Promise<string | null>>()
  return {
    locate: host.locate,
    load: (file) => remember(texts, file, () => host.load(file)),
    resolve: (specifier, importer) =>
      remember(resolutions, `${importer}\0${specifier}`, () => host.resolve(specifier, importer)),
    forgetFile: (file) => void texts.delete(file),
    forgetResolutions: () => resolutions.clear(),
    forgetAll() {
      texts.clear()
      resolutions.clear()
    },
  }
}

function remember<T>(kept: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const before = kept.get(key)
  if (before) return before
  const made = make()
  kept.set(key, made)
  // A failure may be over by the next time.
  made.catch(() => kept.delete(key))
  return made
}
