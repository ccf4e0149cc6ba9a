import { AppError } from '@flash/protocol'

/** - `calls`: names of the endpoints that the code of an endpoint calls. */
type Edges = Readonly<Record<string, { calls: string[] }>>

/** Warnings of endpoints that call each other in a circle: a shortest one through each, told where its first name is. */
export function findCircles(endpoints: Edges): AppError[] {
  return Object.keys(endpoints)
    .sort()
    .map((name) => findCircle(endpoints, name))
    .filter((circle) => circle !== undefined)
    .map(
      (circle) =>
        new AppError('CALL_CIRCLE', {
          message: `endpoints call each other in a circle: ${circle.join(' → ')}`,
          hint: 'let one of them return instead of calling on; a chain of more than 16 calls is ended with CALL_LOOP',
        }),
    )
}

/** Of circles, each is found from the name in it that comes first. */
function findCircle(endpoints: Edges, first: string): string[] | undefined {
  const paths = [[first]]
  const seen = new Set<string>()
  for (const path of paths) {
    for (const next of endpoints[path.at(-1)!]?.calls ?? []) {
      if (next === first) return [...path, first]
      if (next < first || seen.has(next)) continue
      seen.add(next)
      paths.push([...path, next])
    }
  }
  return undefined
}
