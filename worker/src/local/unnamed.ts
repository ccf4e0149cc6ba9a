/**
 * Tells once, for each variable of the project's `.env` files that this worker does not get, when code reads it.
 * The worker starts without it on purpose: what a function may know is what its config names.
 */
export function warnOfUnnamed(
  names: readonly string[],
  endpoint: string,
  warn: (line: string) => void,
): () => void {
  const original = process.env
  const untold = new Set(names.filter((name) => original[name] === undefined))
  if (untold.size === 0) return () => {}
  process.env = new Proxy(original, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver) as unknown
      if (value === undefined && typeof name === 'string' && untold.delete(name)) {
        warn(
          `process.env.${name} is in a .env file, but endpoint "${endpoint}" does not name it: add "${name}" to env in its config`,
        )
      }
      return value
    },
  })
  return () => {
    process.env = original
  }
}
