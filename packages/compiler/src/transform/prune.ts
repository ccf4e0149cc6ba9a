import { type Graph, reach, type Unit } from '../graph.ts'
import type { Effect, Use } from '../references.ts'

export type Cut = (offset: number) => boolean

const changing = new Set<Effect>(['write', 'mutate'])
const declaring = new Set<Unit['kind']>(['import', 'variable', 'declaration'])

/**
 * Declarations that only served what was cut out.
 *
 * - what the cut text never led to is left alone, however unused it is;
 * - what any other part of the module uses when it runs, or exports, stays; types do not count, they are erased.
 */
export function findOrphans(graph: Graph, isCut: Cut): Set<Unit> {
  const { mentioned, live } = split(graph, isCut)
  return new Set([...mentioned].filter((unit) => !live.has(unit)))
}

/** What the cut text leads to, and what the rest of the module needs. */
function split(graph: Graph, isCut: Cut): { mentioned: Set<Unit>; live: Set<Unit> } {
  const mentioned = new Set<Unit>()
  const mention = ({ name }: Use) => {
    for (const unit of graph.declaring.get(name) ?? []) if (declaring.has(unit.kind)) mentioned.add(unit)
  }
  for (const unit of graph.units) for (const use of unit.uses) if (isCut(use.start)) mention(use)
  for (const unit of mentioned) unit.uses.forEach(mention)
  const roots = graph.units.filter((unit) => unit.exported || !mentioned.has(unit))
  return { mentioned, live: reach(graph, roots, isCut) }
}

/** First uses of what is no orphan only because a statement at the top level configures it, when it leads to an import. */
export function findHeld(graph: Graph, isCut: Cut): Use[] {
  const { mentioned, live } = split(graph, isCut)
  const held = [...mentioned].filter((unit) => live.has(unit) && !unit.exported)
  return held.flatMap((unit) => {
    const needed = [...reach(graph, [unit], isCut)]
    if (!needed.some(({ kind }) => kind === 'import')) return []
    const uses = [...live].flatMap((user) => (user === unit ? [] : usesOf(unit, user, isCut)))
    return uses.every(({ configures }) => configures) ? uses.slice(0, 1).map(({ use }) => use) : []
  })
}

function usesOf(unit: Unit, user: Unit, isCut: Cut): { use: Use; configures: boolean }[] {
  const uses = user.uses.filter(
    ({ name, type, start }) => unit.names.includes(name) && !type && !isCut(start),
  )
  return uses.map((use) => {
    return { use, configures: user.kind === 'effect' && changing.has(use.effect) && !use.deferred }
  })
}

/**
 * What `roots` need, for a module of which nothing else shall run.
 *
 * Statements at the top level go, except those that configure something that stays: an assignment to it or to a member of it, a
 * call of one of its methods, or a call of a function of this module that assigns it. Imports for their effect alone go: here
 * they are as likely a style sheet as a polyfill, and a module that only the function imports can have its own.
 *
 * ```ts
 * const app = new App()
 * app.use(logger)                  // stays when app does
 * env.cacheDir = './models'        // stays when an import from the module that gave env does
 * createApp(Page).mount('#app')    // goes
 * ```
 *
 * - `isCallable`: units that hold remote functions, routes and web apps; calling those is not configuring.
 */
export function findSlice(
  graph: Graph,
  roots: Iterable<Unit>,
  isCut: Cut,
  isCallable: (unit: Unit) => boolean,
): Set<Unit> {
  let live = reach(graph, roots, isCut)
  for (;;) {
    const configuring = graph.units.filter(
      (unit) => unit.kind === 'effect' && !live.has(unit) && configures(graph, unit, live, isCut, isCallable),
    )
    if (configuring.length === 0) break
    live = reach(graph, [...live, ...configuring], isCut)
  }
  for (const unit of graph.units) if (staysWith(graph, unit, live)) live.add(unit)
  return live
}

function configures(
  graph: Graph,
  unit: Unit,
  live: Set<Unit>,
  isCut: Cut,
  isCallable: (unit: Unit) => boolean,
): boolean {
  return unit.uses.some((use) => {
    if (use.type || use.deferred || isCut(use.start)) return false
    const targets = (graph.declaring.get(use.name) ?? []).filter((target) => !isCallable(target))
    if (use.effect === 'call') return targets.some((target) => assignsLive(graph, target, live))
    if (use.effect === 'read') return false
    return targets.some((target) => live.has(target) || hasLiveSibling(graph, target, live))
  })
}

/** `env.cacheDir = …` is meant for the module that `env` comes from, whichever of its exports is used. */
function hasLiveSibling(graph: Graph, target: Unit, live: Set<Unit>): boolean {
  if (target.kind !== 'import') return false
  return graph.units.some(({ statement, kind }, index) => {
    return statement === target.statement && kind === 'import' && live.has(graph.units[index]!)
  })
}

/** `init()`, where `init` sets a variable that stays. */
function assignsLive(graph: Graph, target: Unit, live: Set<Unit>): boolean {
  if (target.kind !== 'declaration' && target.kind !== 'variable') return false
  return target.uses.some(({ name, effect }) => {
    const owners = graph.declaring.get(name) ?? []
    return (
      changing.has(effect) &&
      owners.some((owner) => owner.kind === 'variable' && owner !== target && live.has(owner))
    )
  })
}

/** Types are erased anyway, and an export list keeps what is left to export. */
function staysWith(graph: Graph, unit: Unit, live: Set<Unit>): boolean {
  if (unit.kind === 'type') return true
  return (
    unit.kind === 'export' &&
    unit.uses.some(({ name }) => graph.declaring.get(name)?.some((owner) => live.has(owner)))
  )
}
