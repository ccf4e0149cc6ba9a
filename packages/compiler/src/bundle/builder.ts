import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { AppError, type Manifest, runsInServer } from '@flash/protocol'
import type { Project } from '../project.ts'
import { bundleEndpoint, type BundleResult } from './bundle.ts'
import { findCircles } from './circles.ts'
import type { BuildContext } from './context.ts'
import { createContext } from './create-context.ts'
import { eachOf } from './each-of.ts'
import { checkInputOptions } from './input-options.ts'
import { type Inputs, isCurrent, recordInputs } from './inputs.ts'
import { checkSize, LIMIT_BYTES } from './limits.ts'
import { manifestText, toManifest } from './manifest.ts'
import type { WorkerBuildOptions } from './options.ts'
import { createOutput } from './output.ts'
import { type EndpointPlan, planEndpoint } from './plan.ts'
import { createProblems, type Problems, throwProblems } from './problems.ts'

export interface WorkerBuild {
  manifest: Manifest
  /** Names of the endpoints whose bundles were made anew. */
  rebuilt: string[]
  warnings: AppError[]
}

export interface WorkerBuilder {
  /**
   * Makes a bundle for each endpoint, and the manifest; what an earlier call made is kept where nothing that went in has changed.
   *
   * - throws what is wrong, all of it: an `AppError`, or an `AggregateError` of several. Then it is as after `clear`.
   */
  build(): Promise<WorkerBuild>
  /** Leaves nothing of any build, except of one that another builder finished since this one was made. */
  clear(): Promise<void>
  /** Every file that went into the last build, finished or not; absolute. */
  inputs(): string[]
}

/** What is kept of an endpoint between two builds. */
interface Kept {
  inputs: Inputs
  result: BundleResult
  warnings: AppError[]
}

export function createWorkerBuilder(options: WorkerBuildOptions): WorkerBuilder {
  checkInputOptions(options.inputOptions ?? {})
  const output = createOutput(options.outDir ?? join(options.root, '.flash/build'))
  const kept = new Map<string, Kept>()
  const touched = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()
  const run = async (): Promise<WorkerBuild> => {
    await output.begin()
    touched.clear()
    try {
      const made = await buildAll(options, { kept, touched })
      const folders = new Map([...kept].map(([name, { result }]) => [name, result.folder]))
      await output.commit(folders, manifestText(made.manifest))
      return { manifest: made.manifest, rebuilt: [...made.fresh].sort(), warnings: made.warnings }
    } catch (error) {
      await output.clear()
      throw error
    }
  }
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const result = last.then(task)
    // One after the other: each begins with what the one before left on disk.
    last = result.catch(() => {})
    return result
  }
  return {
    build: () => inTurn(run),
    clear: () => inTurn(output.clear),
    inputs: () => [...touched].sort(),
  }
}

interface State {
  kept: Map<string, Kept>
  touched: Set<string>
}

interface Made {
  manifest: Manifest
  /** Names of endpoints that were made anew. */
  fresh: Set<string>
  warnings: AppError[]
}

async function buildAll(options: WorkerBuildOptions, state: State): Promise<Made> {
  const { project, limitBytes = LIMIT_BYTES } = options
  const context = createContext(options)
  const fresh = new Set<string>()
  const plans = await settle(project, (plan, problems) => buildOne(context, state, { plan, problems, fresh }))
  const names = new Set(plans.map(({ name }) => name))
  for (const name of state.kept.keys()) if (!names.has(name)) state.kept.delete(name)
  const results = plans.map(({ name }) => state.kept.get(name)!)
  const sizes = results.flatMap(({ result }) => result.folder.files.map(({ bytes }) => bytes))
  const parts = () => results.flatMap(({ result }) => result.parts())
  const tooLarge = checkSize(
    sizes.reduce((sum, bytes) => sum + bytes, 0),
    parts,
    limitBytes,
  )
  if (tooLarge) throw tooLarge
  const endpoints = plans.map((plan, index) => ({ plan, ...results[index]!.result }))
  const warnings = createProblems()
  for (const warning of results.flatMap((result) => result.warnings)) warnings.add(warning)
  const manifest = toManifest(options, endpoints, project.functions())
  for (const warning of findCircles(manifest.endpoints)) warnings.add(warning)
  return { manifest, fresh, warnings: warnings.list() }
}

/**
 * Builds every endpoint, and again as long as building finds more functions: a package of the workspace that only a worker
 * imports is read by nobody before.
 */
async function settle(
  project: Project,
  build: (plan: EndpointPlan, problems: Problems) => Promise<void>,
): Promise<EndpointPlan[]> {
  for (;;) {
    const before = idsOf(project)
    await project.changedDemand()
    const problems = createProblems()
    const plans = new Map<string, EndpointPlan>()
    await eachOf(endpointsOf(project), AT_A_TIME, async (name) => {
      try {
        const plan = await planEndpoint(project, name)
        plans.set(name, plan)
        await build(plan, problems)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        problems.add(error)
      }
    })
    if (idsOf(project) !== before) continue
    throwProblems(problems.list())
    return endpointsOf(project).map((name) => plans.get(name)!)
  }
}

/** One more than there are processors: while the engine works on some, we read for the next. */
const AT_A_TIME = availableParallelism() + 1

/** Those that have something to run. */
function endpointsOf(project: Project): string[] {
  const functions = project.functions().filter((fact) => !runsInServer(fact))
  return [...new Set(functions.map(({ endpoint }) => endpoint))].sort()
}

function idsOf(project: Project): string {
  return project
    .functions()
    .map(({ id, endpoint }) => `${id} ${endpoint}`)
    .join()
}

interface Turn {
  plan: EndpointPlan
  problems: Problems
  fresh: Set<string>
}

async function buildOne(
  context: BuildContext,
  { kept, touched }: State,
  { plan, problems, fresh }: Turn,
): Promise<void> {
  const { name } = plan
  const before = kept.get(name)
  if (before && (await isCurrent(context, plan, before.inputs))) return touch(touched, before.inputs)
  kept.delete(name)
  const bundle = await bundleEndpoint(context, plan)
  const inputs = await recordInputs(context, plan, bundle)
  touch(touched, inputs)
  for (const problem of bundle.problems) problems.add(problem)
  if (!bundle.result) return
  kept.set(name, { inputs, result: bundle.result, warnings: bundle.warnings })
  fresh.add(name)
}

function touch(touched: Set<string>, { files, assets }: Inputs): void {
  for (const [file, hash] of [...files, ...assets]) if (hash !== null) touched.add(file)
}
