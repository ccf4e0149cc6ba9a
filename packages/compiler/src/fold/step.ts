import type { Node } from 'oxc-parser'
import type { DeclaredBinding } from '../bindings.ts'
import type { CompilerHost } from '../types.ts'
import type { KnownValues } from './known.ts'
import type { Entry, Folded, Place } from './values.ts'

export interface Folder {
  host: CompilerHost
  known: KnownValues
  /** Files that were read on the way. */
  files: Set<string>
}

/** One expression on its way. */
export interface Step {
  folder: Folder
  place: Place
  /** The constant it is the value of, or part of: `base`, `base.setup`. */
  name: string | null
  /** The constants being read around it. */
  active: readonly DeclaredBinding[]
  /** Folds any step. */
  fold(step: Step): Promise<Folded>
}

export function placeOf(step: Step, node: Node): Place {
  return { module: step.place.module, node }
}

/** The value of a part of the expression. */
export function foldPart(step: Step, node: Node): Promise<Folded> {
  return step.fold({ ...step, place: placeOf(step, node) })
}

export function entryOf(step: Step, value: Node, field: Node, key: string): Entry {
  const name = step.name === null ? null : `${step.name}.${key}`
  const place = placeOf(step, value)
  let folded: Promise<Folded> | undefined
  return {
    place,
    field: placeOf(step, field),
    name,
    fold: () => (folded ??= step.fold({ ...step, place, name })),
  }
}
