/** Runs at most `limit` at a time, and starts the next as soon as one is done. */
export async function eachOf<T>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const takeTurns = async () => {
    for (const item of queue) await run(item)
  }
  await Promise.all(Array.from({ length: limit }, takeTurns))
}
