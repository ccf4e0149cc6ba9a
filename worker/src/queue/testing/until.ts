/** Looks in each turn of the loop until there is something, and gives it. */
export async function until<T>(look: () => T, what = 'it', mostMs = 10_000): Promise<NonNullable<T>> {
  const end = performance.now() + mostMs
  for (;;) {
    const found = look()
    if (found) return found
    if (performance.now() > end) throw new Error(`${what} did not happen within ${mostMs} ms`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
