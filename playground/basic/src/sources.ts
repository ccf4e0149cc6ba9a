const sources = import.meta.glob<string>('./remote/*.ts', { query: '?raw', import: 'default', eager: true })

/** The text of a file of `src/remote`, as it is on disk. */
export function findSource(file: string): string {
  return sources[`./${file}`] ?? ''
}
