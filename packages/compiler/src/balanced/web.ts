import type { Expression, Node } from 'oxc-parser'
import type { DeclaredBinding } from '../bindings.ts'
import type { Detection } from '../detect.ts'
import { functionId } from '../id.ts'
import { isExportedPath } from '../exported.ts'
import { peel } from '../parse.ts'
import { type Made, readPlace } from '../place.ts'
import { isFunction, type NamedCall } from '../references.ts'
import { addProblem, type Refusal } from '../refuse.ts'
import type { FoundFunction } from '../types.ts'
import { findConfigured, findDeclared } from './configured.ts'
import { rootOf } from './methods.ts'

const madeAsWeb: Made = {
  call: 'endpoint()',
  what: 'web app',
  example: 'site = endpoint(config, app)',
  instead: 'move it to the top level of the module; what it needs from here comes with a request',
}

/** The web app of `endpoint(config, web)`; `null` when it was refused. */
export function readWeb(detection: Detection, { node, ancestors }: NamedCall): FoundFunction | null {
  const { source, findings, host } = detection
  const place = readPlace(ancestors, node, madeAsWeb)
  if ('refusal' in place) {
    addProblem(findings, source, node, place.refusal)
    return null
  }
  const [config, web] = node.arguments as [Expression, Expression]
  checkWeb(detection, web)
  const { package: name, path } = host.locate(source.parsed.file)
  const exportPath = place.path.join('.')
  return {
    id: functionId(name, path, exportPath),
    exportPath,
    exported: isExportedPath(source.parsed, place.path),
    kind: 'web',
    callables: [],
    constructorParams: null,
    at: source.parsed.position(node.start, source.shown),
    call: node,
    config: peel(config) as Expression,
    body: peel(web) as Expression,
  }
}

/**
 * Refuses what this module declares and configures.
 *
 * ```ts
 * const app = new Hono()
 * app.get('/', …)                     // would stay in the page, with all that it uses
 * export const site = endpoint(config, app)
 * ```
 */
function checkWeb({ source, findings }: Detection, web: Expression): void {
  const { parsed } = source
  const root = rootOf(web)
  const named = root.type === 'Identifier' ? findDeclared(parsed, root.name) : null
  if (root.type === 'Identifier' && named && !makes(named))
    return addProblem(findings, source, root, inModule(root.name))
  for (const use of findConfigured(parsed, web)) addProblem(findings, source, use, usesChanged(use.name))
}

/** A function makes the app when it is called, so that no statement can come after. */
function makes({ kind, init }: DeclaredBinding): boolean {
  return kind === 'function' || (kind === 'const' && init !== null && isFunction(peel(init) as Node))
}

function usesChanged(name: string): Refusal {
  return {
    code: 'APP_IN_MODULE',
    message: `the web app uses \`${name}\`, which statements of this module change, and those would stay in the browser's copy`,
    hint: `move \`${name}\` and the statements to a module of its own and import it here, or make it in a function: \`endpoint(config, () => …)\``,
  }
}

function inModule(name: string): Refusal {
  return {
    code: 'APP_IN_MODULE',
    message: `the web app \`${name}\` is made in this module, and statements such as \`${name}.get(…)\` would stay in the browser's copy`,
    hint: `move \`${name}\` to a module of its own and import it here, or make it in a function: \`endpoint(config, () => …)\``,
  }
}
