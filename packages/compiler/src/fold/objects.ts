import type { ArrayExpression, MemberExpression, Node, ObjectExpression, ObjectProperty } from 'oxc-parser'
import { propertyName } from '../references.ts'
import { entryOf, foldPart, placeOf, type Step } from './step.ts'
import {
  type Entry,
  type Folded,
  type FoldedObject,
  nothing,
  type Place,
  type Unknown,
  unknown,
} from './values.ts'

export async function readObject(step: Step, node: ObjectExpression): Promise<Folded> {
  const object: FoldedObject = { kind: 'object', entries: new Map(), rest: null }
  for (const property of node.properties) {
    if (property.type === 'SpreadElement') {
      spreadInto(object, await foldPart(step, property.argument), placeOf(step, property.argument))
    } else if (setsPrototype(property)) {
      return unknown(placeOf(step, property), 'sets a prototype', 'never')
    } else {
      const key = await keyOf(step, property.key, property.computed)
      if (typeof key === 'string') object.entries.set(key, propertyEntry(step, property, key))
      else hideBehind(object, key)
    }
  }
  return object
}

function setsPrototype({ key, computed, shorthand, method }: ObjectProperty): boolean {
  return !computed && !shorthand && !method && propertyName(key, false) === '__proto__'
}

function propertyEntry(step: Step, property: ObjectProperty, key: string): Entry {
  const entry = entryOf(step, property.value, property, key)
  if (property.kind === 'init') return entry
  return { ...entry, fold: async () => unknown(entry.field, 'is an accessor', 'run') }
}

/** The name of a property or member; what is not known of it otherwise. */
async function keyOf(step: Step, key: Node, computed: boolean): Promise<string | Unknown> {
  if (!computed) return propertyName(key, false) ?? unknown(placeOf(step, key), 'is no plain name', 'never')
  const folded = await foldPart(step, key)
  if (folded.kind === 'plain') return String(folded.value)
  return folded.kind === 'unknown' ? folded : unknown(placeOf(step, key), 'is no plain value', 'run')
}

/** Adds the keys of a value; one whose keys are unknown makes every earlier key unknown. */
export function spreadInto(object: FoldedObject, value: Folded, place: Place): void {
  if (value.kind === 'plain' && typeof value.value !== 'string') return
  if (value.kind !== 'object') {
    return hideBehind(object, value.kind === 'unknown' ? value : unknown(place, 'is not an object', 'run'))
  }
  if (value.rest) hideBehind(object, value.rest)
  for (const [key, entry] of value.entries) object.entries.set(key, entry)
}

function hideBehind(object: FoldedObject, reason: Unknown): void {
  object.rest = reason
  for (const [key, entry] of object.entries) object.entries.set(key, { ...entry, fold: async () => reason })
}

export async function readArray(step: Step, { elements }: ArrayExpression): Promise<Folded> {
  const items: Entry[] = []
  for (const element of elements) {
    if (!element) return unknown(step.place, 'has an empty place', 'never')
    if (element.type !== 'SpreadElement') {
      items.push(entryOf(step, element, element, String(items.length)))
      continue
    }
    const spread = await foldPart(step, element.argument)
    if (spread.kind === 'unknown') return spread
    if (spread.kind !== 'array') return unknown(placeOf(step, element.argument), 'is not a list', 'run')
    items.push(...spread.items)
  }
  return { kind: 'array', items }
}

export async function readMember(step: Step, node: MemberExpression): Promise<Folded> {
  const owner = await foldPart(step, node.object)
  if (owner.kind === 'unknown') return owner
  const key = await keyOf(step, node.property, node.computed)
  return typeof key === 'string' ? memberOf(step, owner, key, node.optional) : key
}

/** The entry that a member names, when it is written somewhere. */
export async function findMember(step: Step, node: MemberExpression): Promise<Entry | null> {
  const owner = await foldPart(step, node.object)
  if (owner.kind !== 'object') return null
  const key = await keyOf(step, node.property, node.computed)
  return (typeof key === 'string' && owner.entries.get(key)) || null
}

async function memberOf(step: Step, owner: Folded, key: string, optional: boolean): Promise<Folded> {
  switch (owner.kind) {
    case 'object':
      return memberOfObject(step, owner, key)
    case 'array':
      return owner.items[Number(key)]?.fold() ?? memberOfPlain(step, owner.items, key)
    case 'namespace':
      return owner.member(key)
    case 'plain':
      return memberOfPlain(step, owner.value, key, optional)
    default:
      return unknown(step.place, 'is a member of a function', 'run')
  }
}

async function memberOfObject(step: Step, { entries, rest }: FoldedObject, key: string): Promise<Folded> {
  const entry = entries.get(key)
  return entry ? entry.fold() : (rest ?? inherited(step, key, Object.prototype))
}

function memberOfPlain(step: Step, value: unknown, key: string, optional = false): Folded {
  if (value === null || value === undefined) {
    return optional ? nothing : unknown(step.place, `reads "${key}" of ${value}`, 'run')
  }
  if (key === 'length' || (typeof value === 'string' && /^\d+$/.test(key))) {
    return { kind: 'plain', value: (value as Record<string, string | number | undefined>)[key] }
  }
  return inherited(step, key, Object.getPrototypeOf(value))
}

/** What plain values have from their prototype is for running code; all else they simply do not have. */
function inherited(step: Step, key: string, prototype: object): Folded {
  return key in prototype ? unknown(step.place, `uses "${key}"`, 'run') : nothing
}
