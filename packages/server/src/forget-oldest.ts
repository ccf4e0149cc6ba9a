/** Lets go of what was added first when there is more than that. */
export function forgetOldest<K>(entries: Map<K, unknown> | Set<K>, limit: number): void {
  if (entries.size > limit) entries.delete(entries.keys().next().value!)
}
