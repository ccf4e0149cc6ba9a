import type {
  EvaluatedModuleNode,
  EvaluatedModules,
  ModuleRunner,
  ModuleRunnerContext,
} from 'vite/module-runner'
import { toServedError } from './load-error.ts'
import type { Ask } from './requests.ts'
import type { Loader } from './session.ts'

type Vite = typeof import('vite/module-runner')

/** Loads modules through the dev server's pipeline: aliases, plugins and source maps are those of the app. */
export async function createRunnerLoader({ root, ask }: { root: string; ask: Ask }): Promise<Loader> {
  const vite = await importVite(root)
  const failed = new Set<string>()
  const runner = createRunner(vite, ask, failed)
  const { evaluatedModules } = runner
  /** Asking the dev server whether an entry is still current costs as much as a call, so it is asked after changes only. */
  const loaded = new Map<string, Promise<Record<string, unknown>>>()
  const forget = (node: EvaluatedModuleNode | undefined) => node && forgetModule(evaluatedModules, node)
  const load = async (module: string) => {
    try {
      return await runner.import<Record<string, unknown>>(module)
    } catch (error) {
      // A rejected import would be remembered, and given to everybody who asks after the fix.
      for (const id of failed) forget(evaluatedModules.getModuleById(id))
      failed.clear()
      throw toServedError(error, module, root)
    }
  }
  return {
    load(module) {
      const known = loaded.get(module)
      if (known) return known
      const loading = load(module)
      loaded.set(module, loading)
      loading.catch(() => {
        if (loaded.get(module) === loading) loaded.delete(module)
      })
      return loading
    },
    invalidate(files) {
      loaded.clear()
      for (const node of findAffected(evaluatedModules, files)) forget(node)
    },
  }
}

/** The project's own Vite first: the two ends of the channel must be of one version. */
async function importVite(root: string): Promise<Vite> {
  const { createRequire } = process.getBuiltinModule('node:module')
  const { join } = process.getBuiltinModule('node:path')
  const { pathToFileURL } = process.getBuiltinModule('node:url')
  try {
    const file = createRequire(join(root, 'package.json')).resolve('vite/module-runner')
    return (await import(pathToFileURL(file).href)) as Vite
  } catch {
    return import('vite/module-runner')
  }
}

function createRunner(vite: Vite, ask: Ask, failed: Set<string>): ModuleRunner {
  const { ModuleRunner, ESModulesEvaluator, createNodeImportMeta, normalizeModuleId } = vite
  class Evaluator extends ESModulesEvaluator {
    override async runInlinedModule(
      context: ModuleRunnerContext,
      code: string,
      ...[node]: EvaluatedModuleNode[]
    ) {
      try {
        // From now on positions are those of the new code.
        if (node) node.map = undefined
        return await super.runInlinedModule(context, code)
      } catch (error) {
        if (node) failed.add(node.id)
        throw error
      }
    }
    override async runExternalModule(file: string) {
      try {
        return await super.runExternalModule(file)
      } catch (error) {
        failed.add(normalizeModuleId(file))
        throw error
      }
    }
  }
  const transport = {
    async invoke({ data: { name, data } }: { data: { name: string; data: unknown[] } }) {
      return { result: await ask(name as 'fetchModule' | 'getBuiltins', data) }
    },
  }
  return new ModuleRunner(
    {
      transport,
      hmr: false,
      sourcemapInterceptor: 'prepareStackTrace',
      createImportMeta: createNodeImportMeta,
    } as never,
    new Evaluator() as never,
  )
}

/** The modules of these files and all that import them, however far away. */
function findAffected(modules: EvaluatedModules, files: string[]): Set<EvaluatedModuleNode> {
  const affected = new Set<EvaluatedModuleNode>()
  const add = (node: EvaluatedModuleNode | undefined) => {
    if (!node || affected.has(node)) return
    affected.add(node)
    for (const importer of node.importers) add(modules.getModuleById(importer))
  }
  for (const file of files) {
    const posix = file.replaceAll('\\', '/')
    for (const node of modules.getModulesByFile(posix) ?? []) add(node)
    add(modules.getModuleById(posix))
  }
  return affected
}

/** The source map stays until new code comes: calls in flight still throw from the old one. */
function forgetModule(modules: EvaluatedModules, node: EvaluatedModuleNode): void {
  const map = modules.getModuleSourceMapById(node.id) ?? undefined
  modules.invalidateModule(node)
  node.map = map
}
