import { AppError, type CallableFact, type RouteFact, type ServerFunction } from '@flash/protocol'

/** What a call wants to run: a function, or a method of a class made with `new`. */
interface Target {
  fn?: string
  new?: unknown[]
}

/**
 * Makes sure that a call runs what its address and `authorize` were asked about, and nothing beside it:
 * several functions may share one endpoint, and are told apart there by name.
 */
export function checkTarget(fact: ServerFunction, { fn, new: constructorArgs }: Target): void {
  if (fact.kind === 'class') {
    if (fact.callables.some(({ name }) => name === fn)) return
    throw new AppError('BAD_INPUT', {
      message: `the class has no method "${(fn ?? '').slice(0, 64)}"`,
      hint: 'call a method of the stub',
    })
  }
  if (fn === undefined && constructorArgs === undefined) return
  throw new AppError('BAD_REQUEST', { message: 'the call names a method of a function, which has none' })
}

/** The callable that a call names: the function itself, or a method. */
export function findCallable(
  { kind, callables, exportPath }: Pick<ServerFunction, 'kind' | 'callables' | 'exportPath'>,
  fn: string | undefined,
): CallableFact {
  const callable = kind === 'class' ? callables.find(({ name }) => name === fn) : callables[0]
  if (callable) return callable
  throw new AppError('BAD_INPUT', {
    message: `"${exportPath}" has no method "${(fn ?? '').slice(0, 64)}"`,
    hint: `it has: ${callables.map(({ name }) => name).join(', ')}`,
  })
}

/** The routes among which a path is looked for: those of the endpoint that run where this one does. Nothing for what is no route. */
export function routesOf(
  functions: Iterable<Pick<ServerFunction, 'endpoint' | 'route'>>,
  { endpoint, route }: Pick<ServerFunction, 'endpoint' | 'route'>,
): RouteFact[] | undefined {
  if (!route) return undefined
  const all = Array.from(functions).flatMap((one) => (one.endpoint === endpoint && one.route) || [])
  return all.filter(({ local }) => local === route.local)
}

export function unknownFunction(id: string): AppError {
  return new AppError('UNKNOWN_FUNCTION', {
    message: `no function has the id ${id.slice(0, 32)}`,
    hint: 'reload the page: the function was renamed, moved or removed since it was loaded',
  })
}
