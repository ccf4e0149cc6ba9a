/**
 * Takes one sample of each kind per round, one after the other.
 *
 * The order turns around from round to round, so that being second is no advantage.
 */
export async function alternate<Name extends string, Sample>(
  count: number,
  kinds: Record<Name, () => Promise<Sample>>,
): Promise<Record<Name, Sample>[]> {
  const names = Object.keys(kinds) as Name[]
  const rounds: Record<Name, Sample>[] = []
  for (let round = 0; round < count; round++) {
    const taken = {} as Record<Name, Sample>
    for (const name of round % 2 === 0 ? names : names.toReversed()) taken[name] = await kinds[name]()
    rounds.push(taken)
  }
  return rounds
}
