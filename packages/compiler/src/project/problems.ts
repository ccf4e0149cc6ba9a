import {
  AppError,
  checkEndpointName,
  isBalanced,
  localNeedsServer,
  runsInServer,
  type SourcePosition,
} from '@flash/protocol'
import { sameRoute } from '../balanced/find.ts'
import { routeShape } from '../balanced/path.ts'
import { refuseAt } from '../config.ts'
import { nameKey } from '../names.ts'
import type { CompilerHost } from '../types.ts'
import type { KnownFunction } from './state.ts'

/** What is wrong between functions, each of which is right by itself. */
export function findProblems(functions: KnownFunction[], host: CompilerHost): AppError[] {
  return [
    ...findSameIds(functions),
    ...findBadNames(functions),
    ...findUnnamed(functions, host),
    ...findSameNames(functions),
    ...findMixed(functions),
    ...findSameRoutes(functions),
  ]
}

/** Two copies of one package, at the same version or not. */
function findSameIds(functions: KnownFunction[]): AppError[] {
  return groupBy(functions, ({ fact }) => fact.id).flatMap(([first, ...others]) =>
    others.map(({ fact }) => {
      const message = `two ${sortOf(fact)}s have one identity, \`${fact.exportPath}\` of ${fact.package}: ${show(first!)} and ${showAt(fact.at)}`
      return new AppError('DUPLICATE_FUNCTION', { message, hint: 'install the package once', at: fact.at })
    }),
  )
}

/** A name that was given is checked with its config; this is about those that were made. */
function findBadNames(functions: KnownFunction[]): AppError[] {
  return functions.flatMap(({ fact, reading }) => {
    // A load-balanced endpoint needs a name, which is told with its config.
    const isDerived = reading.name === null && !isBalanced(fact)
    const wrong = isDerived ? checkEndpointName(fact.endpoint) : undefined
    if (wrong === undefined) return []
    const { parsed } = reading.analysis
    const { call } = reading.found
    const message = `the endpoint of \`${fact.exportPath}\` would be named ${JSON.stringify(fact.endpoint)}, after its file, and that ${wrong}`
    const hint = 'give its config a `name`'
    return [new AppError('BAD_NAME', { message, hint, at: fact.at, frame: parsed.frame(call.start) })]
  })
}

/** Functions that share a constant share an endpoint, and none of their places can name it. */
function findUnnamed(functions: KnownFunction[], host: CompilerHost): AppError[] {
  const sharing = functions.filter(
    ({ reading, fact }) => reading.constant && reading.name === null && !isBalanced(fact),
  )
  return groupBy(sharing, ({ reading }) => reading.key).flatMap((group) => {
    const [{ reading }, ...others] = group as [KnownFunction, ...KnownFunction[]]
    if (others.length === 0) return []
    const { name, place } = reading.constant!
    return [
      refuseAt(place, host, {
        code: 'CONFIG_NEEDS_NAME',
        message: `the config \`${name}\` has no name and is used by several functions: ${group.map(show).join(', ')}`,
        hint: `add a \`name\` to \`${name}\`, and they share one endpoint; or give each function a config of its own`,
      }),
    ]
  })
}

function findSameNames(functions: KnownFunction[]): AppError[] {
  return groupBy(functions, ({ fact }) => nameKey(fact.endpoint)).flatMap((group) => {
    const [first, ...others] = groupBy(group, ({ reading }) => reading.key).map(([one]) => one!)
    const alike = others.filter(({ fact }) => sortOf(fact) === sortOf(first!.fact))
    return alike.map(({ fact, reading }) => {
      const names =
        first!.fact.endpoint === fact.endpoint
          ? fact.endpoint
          : `${first!.fact.endpoint} and ${fact.endpoint}`
      const sort = sortOf(fact)
      return new AppError('DUPLICATE_ENDPOINT', {
        message: `two configs have the endpoint name ${names}: ${show(first!)} and ${show({ fact })}`,
        hint:
          sort === 'web app'
            ? 'rename one of them'
            : `rename one; or to put the ${sort}s on one endpoint, give both calls the same config constant`,
        at: fact.at,
        frame: reading.analysis.parsed.frame(reading.found.call.start),
      })
    })
  })
}

/** A queue, routes and a web app are three sorts of endpoints, and a web app answers every path. */
function findMixed(functions: KnownFunction[]): AppError[] {
  return groupBy(functions, ({ fact }) => nameKey(fact.endpoint)).flatMap((group) => {
    const sorts = groupBy(group, ({ fact, reading }) =>
      fact.kind === 'web' ? `web ${reading.key} ${fact.id}` : sortOf(fact),
    )
    const [first, ...others] = sorts.map(([one]) => one!)
    return others.filter((other) => !isSeparate(first!, other)).map((other) => mixed(first!, other))
  })
}

/** Two web apps of two configs with one name have only the name in common. */
function isSeparate(one: KnownFunction, other: KnownFunction): boolean {
  return sortOf(one.fact) === sortOf(other.fact) && one.reading.key !== other.reading.key
}

function mixed(one: KnownFunction, other: KnownFunction): AppError {
  const says = ({ fact }: KnownFunction) => `the ${sortOf(fact)} ${show({ fact })}`
  const { parsed } = other.reading.analysis
  return new AppError('MIXED_ENDPOINT', {
    message: `the endpoint ${one.fact.endpoint} would have ${says(one)} and ${says(other)}`,
    hint: 'an endpoint has functions, or routes, or one web app: give one of the two a config with another name',
    at: other.fact.at,
    frame: parsed.frame(other.reading.found.call.start),
  })
}

function sortOf({ kind }: KnownFunction['fact']): string {
  return kind === 'route' ? 'route' : kind === 'web' ? 'web app' : 'function'
}

/** Of endpoints that share a config; those of one file are compared when it is read. */
function findSameRoutes(functions: KnownFunction[]): AppError[] {
  const routes = functions.filter(({ fact }) => fact.route).sort(comparePlaces)
  const keyOf = ({ fact, reading }: KnownFunction) => `${reading.key} ${routeShape(fact.route!)}`
  return groupBy(routes, keyOf).flatMap(([first, ...others]) =>
    others.map(({ fact, reading }) => {
      const { code, message, hint } = sameRoute(first!.fact, fact)
      const frame = reading.analysis.parsed.frame(reading.found.call.start)
      return new AppError(code, { message, hint, at: fact.at, frame })
    }),
  )
}

function comparePlaces({ fact: one }: KnownFunction, { fact: other }: KnownFunction): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1
  return one.at.line - other.at.line || one.at.column - other.at.column
}

function show({ fact }: Pick<KnownFunction, 'fact'>): string {
  return `\`${fact.exportPath}\` at ${showAt(fact.at)}`
}

function showAt({ file, line, column }: SourcePosition): string {
  return `${file}:${line}:${column}`
}

function groupBy<T>(items: T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}

/** Routes that the app's server would run, of an app that has none. */
export function findUnserved(functions: KnownFunction[]): AppError[] {
  const routes = functions.filter(({ fact }) => runsInServer(fact))
  return routes.map(({ fact, reading: { analysis, found } }) =>
    localNeedsServer(fact, analysis.parsed.frame(found.call.start)),
  )
}
