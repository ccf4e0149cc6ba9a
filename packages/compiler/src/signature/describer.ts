import { realpathSync } from 'node:fs'
import type { FunctionFact } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import { fold } from '../fold.ts'
import { toPosix } from '../locate.ts'
import type { ProjectOptions } from '../project/options.ts'
import { known, type KnownFunction, type ProjectState } from '../project/state.ts'
import {
  evaluateSchemas,
  type SchemaContext,
  type SchemaPlace,
  type ToldSchemas,
} from './evaluate-schemas.ts'
import type { CompilerHost } from '../types.ts'
import { readSignature } from './signature.ts'
import type { SchemaField } from './tell.ts'
import type { Signature } from './types.ts'

/** What can be said about the values that functions and routes take and give. */
export interface Describer {
  /** What the text of a function or a handler tells; `null` for an id that is none. */
  signature(id: string): Promise<Signature | null>
  /** What the schemas of all functions and routes say of themselves, by id. They are run for it, in another process. */
  schemas(): Promise<Map<string, ToldSchemas>>
}

export function createDescriber(state: ProjectState, { root, limitMs }: ProjectOptions): Describer {
  const kept: SchemaContext['kept'] = new Map()
  const { known: values, aliases } = state.context
  const host = createFreshHost(state)
  return {
    async signature(id) {
      const one = known(state).find(({ fact }) => fact.id === id)
      return one ? readSignature(host, one.reading.analysis.parsed, one.reading.found, one.fact) : null
    },
    async schemas() {
      const wanted: { id: string; place: SchemaPlace }[] = []
      for (const one of known(state))
        for (const place of await findPlaces(state, one)) wanted.push({ id: one.fact.id, place })
      const analysisOf = (file: string) => state.files.get(file)?.analysis ?? null
      const context = {
        root: toPosix(realpathSync(root)),
        host,
        known: values,
        aliases,
        limitMs,
        analysisOf,
        kept,
      }
      const told = await evaluateSchemas(
        context,
        wanted.map(({ place }) => place),
      )
      const result = new Map<string, ToldSchemas>()
      for (const [index, { id }] of wanted.entries()) result.set(id, { ...result.get(id), ...told[index] })
      return result
    },
  }
}

/** Reads files as they are now: of one that holds only types nobody else asks for the text, and an edit may be seen half written. */
function createFreshHost({ context: { host } }: ProjectState): CompilerHost {
  return {
    locate: host.locate,
    resolve: host.resolve,
    load(file) {
      host.forgetFile(file)
      return host.load(file)
    },
  }
}

async function findPlaces(state: ProjectState, { fact, reading }: KnownFunction): Promise<SchemaPlace[]> {
  const { found, analysis } = reading
  if (!fact.route) return findConfigPlaces(state, fact, reading)
  const options = found.call.arguments[2]
  if (fact.route.schemas.length === 0 || !options) return []
  return [toPlace(analysis.parsed.file, options, fact.route.schemas, false)]
}

/** `input` and `output` of a config that reading is enough for; a config that has to be executed may have them anywhere. */
async function findConfigPlaces(
  { context: { host, known } }: ProjectState,
  { hasInput, hasOutput }: FunctionFact,
  { analysis, found }: KnownFunction['reading'],
): Promise<SchemaPlace[]> {
  if (!hasInput && !hasOutput) return []
  const folder = { host, known, files: new Set<string>() }
  const folded = await fold(folder, { module: analysis.parsed, node: found.config })
  if (folded.kind !== 'object') return []
  return (['input', 'output'] as const).flatMap((field) => {
    const place = folded.entries.get(field)?.place
    return place ? [toPlace(place.module.file, place.node, [field], true)] : []
  })
}

function toPlace(file: string, { start, end }: Node, fields: SchemaField[], isSingle: boolean): SchemaPlace {
  return { file, start, end, fields, isSingle }
}
