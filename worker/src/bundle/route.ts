import {
  AppError,
  type BundleFunction,
  type CallHeader,
  type InputShape,
  inputShape,
  type QueueInput,
} from '@flash/protocol'

/** What a job runs, and how its input is read. */
export interface Route {
  fn: BundleFunction
  shape: InputShape
  input: unknown
}

/** One thing a job can name: a function, or a method of a class. */
interface Callable {
  fn: BundleFunction
  method: string | null
  /** `read`, `Model.ask`. */
  name: string
}

/**
 * Which function of a bundle a job is for. It is named in `flash:call.fn`, or by `method` where a caller is not one of
 * our stubs; with one function, nothing has to be named.
 *
 * A name is, the first that fits:
 *
 * ```text
 * read               an export          Model.ask               a method with its class
 * src/a.ts#read      with its file      src/a.ts#Model.ask
 * 7kz5w3doneu26g6y   a function's id    7kz5w3doneu26g6y.ask
 * ask                a method alone; what it also is for an export, when constructor arguments come along
 * ```
 *
 * - throws `BAD_INPUT` for a name that is unknown, that several have, or that is missing, with the names there are.
 */
export function routeJob(endpoint: string, functions: readonly BundleFunction[], input: unknown): Route {
  const job = isRecord(input) ? (input as QueueInput) : {}
  const header = isRecord(job['flash:call']) ? (job['flash:call'] as Partial<CallHeader>) : undefined
  if (typeof header?.fn === 'string') {
    const found = findCallable(functions, header.fn, header.new !== undefined)
    const call = { ...header, fn: found.method ?? found.name }
    return toRoute(found, { ...job, 'flash:call': call })
  }
  const [only] = functions
  if (functions.length === 1) return { fn: only!, shape: inputShape(only!), input }
  // Beside a header of ours, it is a parameter.
  const named = header || !Object.hasOwn(job, 'method') ? undefined : findByMethod(functions, job.method)
  if (!named) throw unnamed(endpoint, functions)
  const { method: _, ...rest } = job
  return toRoute(named, rest)
}

function toRoute({ fn, method }: Callable, input: unknown): Route {
  const callables = fn.callables.filter(({ name }) => method === null || name === method)
  return { fn, shape: inputShape({ ...fn, callables }), input }
}

function callablesOf(functions: readonly BundleFunction[]): Callable[] {
  return functions.flatMap((fn): Callable[] =>
    fn.kind === 'class'
      ? fn.callables.map(({ name }) => ({ fn, method: name, name: `${fn.exportPath}.${name}` }))
      : [{ fn, method: null, name: fn.exportPath }],
  )
}

const withFile = ({ fn, name }: Callable) => `${fn.path}#${name}`
const withId = ({ fn, method }: Callable) => (method === null ? fn.id : `${fn.id}.${method}`)

function findCallable(functions: readonly BundleFunction[], name: string, constructs: boolean): Callable {
  const all = callablesOf(functions)
  const byMethod = all.filter(({ method }) => method === name)
  const whole = all.filter((one) => [one.name, withFile(one), withId(one)].includes(name))
  const found = whole.length === 0 || (constructs && byMethod.length > 0) ? byMethod : whole
  if (found.length === 1) return found[0]!
  if (found.length > 1) {
    throw new AppError('BAD_INPUT', {
      message: `${JSON.stringify(name)} is the name of ${found.length} functions of this endpoint`,
      hint: `say which one: ${listNames(found, all)}`,
      data: { known: found.map(withId) },
    })
  }
  throw new AppError('BAD_INPUT', {
    message: `this endpoint has no function ${JSON.stringify(name.slice(0, 64))}`,
    hint: `it has: ${listNames(all, all)}`,
    data: { known: all.map(({ name }) => name) },
  })
}

/** A parameter of that name keeps the word for itself. */
function findByMethod(functions: readonly BundleFunction[], name: unknown): Callable | undefined {
  if (typeof name !== 'string') return undefined
  const found = findCallable(functions, name, false)
  const [callable] = toRoute(found, null).shape.callables
  return callable?.params?.some((param) => param.name === 'method') ? undefined : found
}

function unnamed(endpoint: string, functions: readonly BundleFunction[]): AppError {
  const all = callablesOf(functions)
  return new AppError('BAD_INPUT', {
    message: `endpoint "${endpoint}" has several functions, and the input names none`,
    hint: `add "flash:call": {"v":1,"fn":"…"} or "method": "…" to the input, with one of: ${listNames(all, all)}`,
    data: { known: all.map(({ name }) => name) },
  })
}

/** The shortest name by which each can be called. */
function listNames(some: Callable[], all: Callable[]): string {
  const isOnly = (nameOf: (one: Callable) => string, one: Callable) =>
    all.filter((other) => nameOf(other) === nameOf(one)).length === 1
  return some
    .map((one) => {
      if (isOnly(({ name }) => name, one)) return one.name
      return isOnly(withFile, one) ? withFile(one) : withId(one)
    })
    .join(', ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
