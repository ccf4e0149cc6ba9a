import { posix } from 'node:path'
import { importsOf, isCode, type Source } from './source.ts'

/** Imports between rooms point to a lower level. */
const levels: Record<string, number> = {
  protocol: 0,
  runtime: 1,
  config: 1,
  compiler: 1,
  emulator: 1,
  sdk: 2,
  runpod: 2,
  resources: 3,
  server: 3,
  worker: 3,
  dev: 4,
  plugin: 5,
  cli: 5,
  'unplugin-flash': 6,
}

/** Development serves functions; it neither is one nor runs one. */
const apart: Record<string, string[]> = { dev: ['sdk', 'worker'] }

/** The room of a file: `packages/<room>/…`, or `worker/…`. */
function roomOf(file: string): string | null {
  return /^packages\/([^/]+)\//.exec(file)?.[1] ?? (file.startsWith('worker/') ? 'worker' : null)
}

/** The room that a specifier names. */
function roomNamed(specifier: string): string | null {
  return (
    /^@flash\/([^/]+)/.exec(specifier)?.[1] ??
    (/^unplugin-flash(?:\/|$)/.exec(specifier)?.[0] ? 'unplugin-flash' : null)
  )
}

export function findWrongLevels(sources: Source[]): string[] {
  return edges(sources).flatMap(({ file, room, specifier, target }) => {
    if (!(room in levels)) return [`${file}: the room "${room}" has no level`]
    if (!(target in levels)) return [`${file}: "${specifier}" is no room`]
    const isLower = levels[target]! < levels[room]! && !apart[room]?.includes(target)
    return isLower ? [] : [`${file}: ${room} imports ${target}`]
  })
}

/** Rooms that import each other, however many are in between. */
export function findRoomCycles(sources: Source[]): string[] {
  const graph = new Map<string, Set<string>>()
  for (const { room, target } of edges(sources)) graph.set(room, (graph.get(room) ?? new Set()).add(target))
  return findCycles(graph)
}

/** Files that import each other, types included. */
export function findFileCycles(sources: Source[]): string[] {
  const files = new Set(sources.map(({ file }) => file))
  const graph = new Map<string, Set<string>>()
  for (const source of sources.filter(isCode)) {
    const targets = importsOf(source)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(source.file), specifier))
    graph.set(source.file, new Set(targets.filter((file) => files.has(file))))
  }
  return findCycles(graph)
}

/** Relative imports stay inside their package: from elsewhere a package is imported by its name. */
export function findEscapes(sources: Source[]): string[] {
  return sources.filter(isCode).flatMap((source) => {
    const home = homeOf(source.file)
    return importsOf(source)
      .filter((specifier) => specifier.startsWith('.'))
      .filter((specifier) => {
        const target = homeOf(posix.join(posix.dirname(source.file), specifier))
        return target !== home && !(target && source.file.startsWith(`${target}/__tests__/`))
      })
      .map((specifier) => `${source.file}: "${specifier}" leaves ${home || 'the root'}`)
  })
}

function homeOf(file: string): string {
  // Tests of playgrounds are like those of `test/`, and share their helpers.
  if (/^playground\/[^/]+\/__tests__\//.test(file)) return ''
  return /^(?:packages|playground)\/[^/]+|^(?:worker|bench)(?=\/)/.exec(file)?.[0] ?? ''
}

function edges(sources: Source[]) {
  return sources.filter(isCode).flatMap((source) => {
    const room = roomOf(source.file)
    if (room === null) return []
    return importsOf(source).flatMap((specifier) => {
      const target = roomNamed(specifier)
      return target === null || target === room ? [] : [{ file: source.file, room, specifier, target }]
    })
  })
}

function findCycles(graph: Map<string, Set<string>>): string[] {
  const found = new Map<string, string>()
  const done = new Set<string>()
  const visit = (name: string, path: string[]) => {
    const at = path.indexOf(name)
    if (at >= 0) {
      const cycle = path.slice(at)
      found.set([...cycle].sort().join(), [...cycle, name].join(' → '))
    } else if (!done.has(name)) {
      for (const next of graph.get(name) ?? []) visit(next, [...path, name])
      done.add(name)
    }
  }
  for (const name of graph.keys()) visit(name, [])
  return [...found.values()]
}
