import type { ModuleAnalysis, Role } from '../types.ts'
import { rewriteApp } from './app.ts'
import { createEdit, finish, type Rewritten } from './edit.ts'
import { rewriteIndex, rewriteSetup } from './slice.ts'
import { markClients, rewriteLocal, rewriteWorker } from './worker.ts'

/**
 * The text of a module for one of the places that load it.
 *
 * - `client`, `server`: stubs instead of functions, without what only the functions used; the client's map holds no original text.
 * - `worker`: the kept functions with what they need, nothing else of the module runs; exports `__flash_functions`.
 * - `local`: everything, with the functions registered; exports `__flash_functions`.
 * - `index`: the configs without their code, with what they need; exports `__flash_configs`.
 * - `setup`: one expression with what it needs; exports `__flash_setup`.
 *
 * The map is to the original module in every role.
 */
export function rewriteModule(analysis: ModuleAnalysis, role: Role): Rewritten {
  if (staysAsItIs(analysis, role)) {
    const edit = createEdit(analysis)
    if (role.kind === 'worker') markClients(edit, () => true)
    return finish(edit, { sources: 'original' })
  }
  switch (role.kind) {
    case 'client':
    case 'server':
      return rewriteApp(analysis, role)
    case 'worker':
      return rewriteWorker(analysis, role)
    case 'local':
      return rewriteLocal(analysis)
    case 'index':
      return rewriteIndex(analysis)
    case 'setup':
      return rewriteSetup(analysis, role)
  }
}

/** Clients of endpoints are what they are everywhere but in pages. */
function staysAsItIs({ functions, clients }: ModuleAnalysis, { kind }: Role): boolean {
  return functions.length === 0 && clients.length > 0 && kind !== 'client' && kind !== 'setup'
}
