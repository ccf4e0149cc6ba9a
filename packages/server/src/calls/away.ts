import { AppError, defaultWorkerKey, endpointVariable, type ServerFunction } from '@flash/protocol'
import {
  callerName,
  type CallSettings,
  chooseSteadily,
  continueChain,
  createRegistry,
  createSteadyParts,
  findBundles,
  type KeyVariable,
  type Post,
  readVariable,
  type SteadyParts,
  toChainHeaders,
} from '@flash/runtime/server'
import { type Registry, type Runner, toRegistry } from '../address.ts'
import { createKnownFunctions, type KnownFunctions } from '../forward/facts.ts'

/** What the bundle of one endpoint knows of a function of another one. */
export interface CalledFunction {
  /** Of its endpoint. */
  name: string
  /** Where its author wrote it. */
  at: string
  /** The project's name on the account. */
  app: string
  /** Name of the variable with the key for such calls. */
  key?: string
  settings?: Partial<CallSettings>
  fn: Omit<ServerFunction, 'id' | 'endpoint'>
}

/** The way to an endpoint that this machine does not run. */
export interface Away {
  functions: KnownFunctions
  registry: Registry
  steady: SteadyParts
}

let steady: SteadyParts | undefined

export function openAway(id: string, { name, app, key, settings, fn }: CalledFunction): Away {
  const { env } = process
  const shared = (steady ??= createSteadyParts({ env, settings }))
  const bare = createRegistry<Runner>({ app: readVariable(env, 'FLASH_APP') ?? app, env, key: keyOf(key) })
  return {
    functions: createKnownFunctions([{ ...fn, id, endpoint: name }]),
    registry: toRegistry(bare, (addresses) => chooseSteadily(shared, addresses)),
    steady: shared,
  }
}

/** What runs the bundles of a whole build on one machine is told of them, and of no account; a variable says more. */
export function isNear({ name }: CalledFunction): boolean {
  return readVariable(process.env, endpointVariable(name)) === undefined
}

/** The way to what runs them. */
export function findNear(id: string, info: CalledFunction): Post | undefined {
  const post = isNear(info) ? findBundles(id) : undefined
  if (!post) return undefined
  return async (route, body, how) => {
    const headers = toChainHeaders(continueChain(info.name))
    return post(route, body, { ...how, headers })
  }
}

function keyOf(named: string | undefined): KeyVariable {
  const name = named ?? defaultWorkerKey
  return {
    name,
    missing: (endpoint) =>
      new AppError('CALLS_NEED_KEY', {
        message: `${callerName()} calls endpoint "${endpoint}", and has no key for that: ${name} is not set`,
        hint: named
          ? `set ${name} to a key of the account that may call its endpoints`
          : `name a variable in the option workerKey of flash(), such as ${name}, build again, and set it to a key that may call the endpoints`,
      }),
  }
}
