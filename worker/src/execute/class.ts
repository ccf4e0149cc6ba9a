import { AppError } from '@flash/protocol'
import { dispose } from './dispose.ts'

export type Class = new (...args: any[]) => object

/** An instance in use; it is not disposed before `release`. */
export interface InstanceHold {
  instance: object
  release(): void
}

export interface Instances {
  /**
   * The instance of these constructor arguments, made when there is none.
   *
   * - `id`: the function's id; a class that replaces another of the same id retires the other's instances.
   * - `key`: stands for the constructor arguments.
   * - `limit`: instances of the class that are kept; more only while that many are in use.
   */
  acquire(wanted: { id: string; Class: Class; key: string; limit: number; args: unknown[] }): InstanceHold
  /** Disposes all that are idle, the others when they are released. */
  close(): Promise<void>
}

interface Entry {
  instance: object
  users: number
  /** Not handed out any more. */
  retired: boolean
}

interface Family {
  Class: Class
  /** The least recently used one first. */
  entries: Map<string, Entry>
}

export function createInstances(report: (error: unknown) => void): Instances {
  const families = new Map<string, Family>()
  const retire = (entry: Entry) => {
    entry.retired = true
    return entry.users === 0 ? dispose(entry.instance, report) : undefined
  }
  const retireAll = (family: Family) => Promise.all(Array.from(family.entries.values(), retire))
  const familyOf = (id: string, Class: Class): Family => {
    const known = families.get(id)
    if (known?.Class === Class) return known
    if (known) void retireAll(known)
    const family: Family = { Class, entries: new Map() }
    families.set(id, family)
    return family
  }
  return {
    acquire({ id, Class, key, limit, args }) {
      const { entries } = familyOf(id, Class)
      const entry = entries.get(key) ?? { instance: new Class(...args), users: 0, retired: false }
      entry.users++
      entries.delete(key)
      entries.set(key, entry)
      trim(entries, limit, retire)
      return { instance: entry.instance, release: once(() => release(entry, entries, limit, retire)) }
    },
    async close() {
      await Promise.all(Array.from(families.values(), retireAll))
      families.clear()
    },
  }
}

type Retire = (entry: Entry) => unknown

function release(entry: Entry, entries: Map<string, Entry>, limit: number, retire: Retire): void {
  entry.users--
  if (entry.retired) retire(entry)
  else trim(entries, limit, retire)
}

/** Lets the least recently used idle ones go. */
function trim(entries: Map<string, Entry>, limit: number, retire: Retire): void {
  for (const [key, entry] of entries) {
    if (entries.size <= limit) return
    if (entry.users > 0) continue
    entries.delete(key)
    retire(entry)
  }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    run()
  }
}

const refusedNames: ReadonlySet<string> = new Set(['constructor', 'then', 'toJSON'])

/** Public methods, own and inherited: functions of the prototypes, never fields, accessors or what every object has. */
export function methodsOf(Class: Class): Map<string, (...args: unknown[]) => unknown> {
  const methods = new Map<string, (...args: unknown[]) => unknown>()
  const hidden = new Set<string>()
  let proto: object | null = Class.prototype
  while (proto && proto !== Object.prototype) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (hidden.has(name) || refusedNames.has(name) || name.startsWith('_')) continue
      hidden.add(name)
      if (typeof value === 'function') methods.set(name, value)
    }
    proto = Object.getPrototypeOf(proto)
  }
  return methods
}

/** Throws `BAD_INPUT` listing the methods there are. */
export function findMethod(Class: Class, name: string): (...args: unknown[]) => unknown {
  const methods = methodsOf(Class)
  const method = methods.get(name)
  if (method) return method
  throw new AppError('BAD_INPUT', {
    message: `class ${Class.name || 'without a name'} has no public method "${name}"`,
    hint:
      methods.size > 0
        ? `call one of: ${[...methods.keys()].join(', ')}`
        : 'give it a method that does not begin with _',
  })
}
