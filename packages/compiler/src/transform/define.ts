import type { Span } from '../span.ts'
import type { FoundApi, FoundFunction } from '../types.ts'
import { type Edit, freshName, useImport } from './edit.ts'

/** Where a call that stays is made known: in a worker, in a test's process, in the server of the app. */
export type Verb = 'define' | 'local' | 'app'

/** Writes the calls that stay anew, and the export by which their functions are found. */
export interface Define {
  /** - `last`: one more argument, as text. */
  write(found: FoundFunction, imported: string, last?: string): void
  define(found: FoundFunction, last?: string): void
  defineApi(api: FoundApi): void
}

/**
 * The arguments stay as they are written:
 *
 * - `remote(config, fn)` → `define(functions, id, config, fn)`, `endpoint(config, web)` → `defineWeb(functions, id, config, web)`;
 * - `endpoint(config)` → `defineApi(config)`, `api.post(path, …)` → `defineRoute(functions, id, api, "POST", path, …)`;
 * - `api.ws(path, …)` → `defineSocket(functions, id, api, "WS", path, …)`.
 *
 * - `source`: the module that has all these.
 */
export function createDefine(edit: Edit, source: string, verb: Verb): Define {
  const functions = freshName(edit, '__flash_functions')
  edit.prelude.push(`const ${functions} = Object.create(null)`)
  const exported = functions === '__flash_functions' ? functions : `${functions} as __flash_functions`
  edit.text.append(`\nexport { ${exported} };\n`)
  const use = (imported: string) => useImport(edit, source, imported, toLocal(imported))
  const write: Define['write'] = (found, imported, last) => {
    const { id, call, route, api } = found
    const given = [functions, JSON.stringify(id), ...(route ? [api!.name, JSON.stringify(route.method)] : [])]
    edit.text.overwrite(call.start, call.arguments[0]!.start, `${use(imported)}(${given.join(', ')}, `)
    const missing = route && call.arguments.length === 2 ? ', undefined' : ''
    edit.text.overwrite(call.arguments.at(-1)!.end, call.end, last ? `${missing}, ${last})` : ')')
  }
  return {
    write,
    define: (found, last) => write(found, `${verb}${suffixOf(found, verb)}`, last),
    defineApi({ call }) {
      edit.text.overwrite(call.start, call.arguments[0]!.start, `${use(`${verb}Api`)}(`)
      edit.text.overwrite(call.arguments[0]!.end, call.end, ')')
    },
  }
}

/** WebSockets have a name of their own, so that bundles without any leave out what they take. */
function suffixOf({ kind, route }: FoundFunction, verb: Verb): string {
  if (kind === 'route') return verb === 'define' && route?.method === 'WS' ? 'Socket' : 'Route'
  return kind === 'web' ? 'Web' : ''
}

/** `defineWeb` → `__flash_define_web` */
function toLocal(imported: string): string {
  return `__flash_${imported.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)}`
}

/** What of a kept call is gone. A route is made with its endpoint, which stays with it. */
export function writtenAnew(found: FoundFunction): Span[] {
  return found.api ? [] : [calleeSpan(found)]
}

export function calleeSpan({ call }: FoundFunction | FoundApi): Span {
  return { start: call.start, end: call.arguments[0]!.start }
}
