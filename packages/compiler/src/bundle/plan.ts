import {
  type BundleFunction,
  type BundleInfo,
  type FunctionFact,
  type ResolvedEndpointConfig,
  runsInServer,
  WIRE_VERSION,
  WORKER_NODE,
} from '@flash/protocol'
import type { Project } from '../project.ts'
import type { Demand } from '../project/demand.ts'

/** What the project says of one endpoint: all that its bundle is made from, besides the text of files. */
export interface EndpointPlan {
  name: string
  config: ResolvedEndpointConfig
  functions: FunctionFact[]
  /** Absolute files with its functions, in the order in which the bundle loads them. */
  files: string[]
  info: BundleInfo
  /** What it needs of files with functions besides its own. */
  demand: Demand
}

/** Throws what is wrong with its config, or with a file that its modules import. */
export async function planEndpoint(project: Project, name: string): Promise<EndpointPlan> {
  const [config, demand] = await Promise.all([project.config(name, { check: true }), project.demand(name)])
  const functions = project.endpoint(name).filter((fact) => !runsInServer(fact))
  const { maxConcurrency, instances, executionTimeoutMs } = config
  return {
    name,
    config,
    functions,
    files: [...new Set(functions.map(({ file }) => file))],
    info: {
      endpoint: name,
      wireVersion: WIRE_VERSION,
      node: WORKER_NODE,
      maxConcurrency,
      instances,
      executionTimeoutMs,
      functions: functions.map(toBundleFunction),
    },
    demand,
  }
}

export function toBundleFunction(fact: FunctionFact): BundleFunction {
  const { id, path, exportPath, kind, route, callables, constructorParams, hasInput, hasOutput, setup } = fact
  const shape = { id, path, exportPath, kind, ...(route && { route }) }
  return { ...shape, callables, constructorParams, hasInput, hasOutput, setup }
}
