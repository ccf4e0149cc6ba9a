import { decodeValue } from './codec/decode.ts'
import { type Encoded, type EncodeOptions, encodeValue } from './codec/encode.ts'
import { checkPlain, toPlainJson } from './codec/json.ts'
import { decodeLimits, isForbiddenKey } from './codec/limits.ts'
import { findClosest } from './endpoint-config/spelling.ts'
import { AppError } from './error.ts'
import type { FunctionFact, ParamFact } from './facts.ts'

/** What our callers add to an input; whoever sends none is a foreign caller. */
export interface CallHeader {
  v: 1
  /** Export or method name; may be missing when there is one callable. */
  fn?: string
  /** Constructor arguments of a class: plain JSON, or devalue text with bytes inline. */
  new?: unknown[] | string
  /** Digest of the bundle the caller was built with. */
  bundle?: string
  /** Milliseconds since the epoch. */
  deadline?: number
  /** How many remote functions stand between this call and its first caller. */
  hops?: number
  trace?: string
}

/** `input` of a job: arguments by name, or `flash:args`. Keys with a colon are ours: no identifier has one. */
export interface QueueInput {
  'flash:call'?: CallHeader
  /** Devalue text of the positional arguments. */
  'flash:args'?: string
  [name: string]: unknown
}

export interface CallableShape {
  name: string
  /** What a caller gives; `null` when the names are not knowable. */
  params: readonly ParamFact[] | null
}

/** What reading and writing an input needs to know about a function or class. */
export interface InputShape {
  kind: 'function' | 'generator' | 'class'
  callables: readonly CallableShape[]
  /** The config has `input`: one input, whatever the parameter looks like. */
  takesObject: boolean
  /** What a class is made with; `null` when the names are not knowable. */
  construct?: readonly ParamFact[] | null
}

export interface WrittenInput {
  input: QueueInput
  /** The bytes `flash:args` refers to; none when they are inline. */
  parts: Uint8Array[]
}

export interface ReadInput {
  /** Name of the callable. */
  callable: string
  args: unknown[]
  /** Constructor arguments, for a class. */
  construct: unknown[]
  header: CallHeader | null
  /** Not one of our stubs: gets plain JSON back. */
  foreign: boolean
}

/** The shape of a function's input. Its state, the second parameter of a function with `setup` or `input`, is not part of it. */
export function inputShape(
  fact: Pick<FunctionFact, 'kind' | 'callables' | 'setup' | 'hasInput'> &
    Partial<Pick<FunctionFact, 'constructorParams'>>,
): InputShape {
  const takesOne = fact.kind !== 'class' && (fact.hasInput || fact.setup !== null)
  return {
    // Nothing calls what a load-balanced endpoint answers with an input.
    kind: fact.kind === 'class' || fact.kind === 'generator' ? fact.kind : 'function',
    callables: fact.callables.map(({ name, params }) => ({
      name,
      params: takesOne && params ? params.slice(0, 1) : params,
    })),
    takesObject: fact.hasInput,
    ...(fact.kind === 'class' && { construct: fact.constructorParams }),
  }
}

/** What a caller says about a call beside its arguments. */
export interface CallInfo extends Omit<CallHeader, 'v' | 'new'> {
  v?: 1
  /** Constructor arguments as they are, or as `writeConstruct` made them. */
  new?: readonly unknown[] | string
}

/**
 * Writes the input of a call: by name where every argument is plain JSON and a name can tell it, else as `flash:args`.
 *
 * - at once, unless an argument holds a Blob, File or form that has to be read.
 * - `inline`: bytes stand in the text, for the real queue; otherwise they are `parts` beside it.
 * - throws `CANNOT_CARRY` with the path of an argument that does not travel, `BAD_INPUT` for an unknown method.
 */
export function writeInput(
  shape: InputShape,
  args: readonly unknown[],
  call: CallInfo = {},
  options: { inline?: boolean; borrow?: boolean } = {},
): WrittenInput | Promise<WrittenInput> {
  const written = writeArgs(shape, findCallable(shape, call.fn), args, options)
  const construct = typeof call.new === 'object' ? writeConstruct(call.new) : call.new
  const finish = ({ input, parts }: WrittenInput, made: CallHeader['new']): WrittenInput => ({
    input: { ...input, 'flash:call': { ...call, v: 1, new: made } },
    parts,
  })
  if (!(written instanceof Promise) && !(construct instanceof Promise)) return finish(written, construct)
  return Promise.all([written, construct]).then((both) => finish(...both))
}

function writeArgs(
  shape: InputShape,
  callable: CallableShape,
  args: readonly unknown[],
  options: EncodeOptions,
): WrittenInput | Promise<WrittenInput> {
  const named = toPlainJson(args) === null ? null : writeNames(shape, callable, args)
  if (named) return { input: named, parts: [] }
  const finish = ({ text, parts }: Encoded): WrittenInput => ({ input: { 'flash:args': text }, parts })
  const encoded = encodeValue(args, 'in', { ...options, rich: true })
  return encoded instanceof Promise ? encoded.then(finish) : finish(encoded)
}

/** Constructor arguments for the header. A worker finds its instance by them, so bytes stand in the text. */
export function writeConstruct(args: readonly unknown[]): unknown[] | string | Promise<string> {
  if (toPlainJson(args) !== null) return [...args]
  const encoded = encodeValue(args, 'in', { inline: true, label: 'constructor argument' })
  return encoded instanceof Promise ? encoded.then(({ text }) => text) : encoded.text
}

/**
 * Reads the input of a job, ours or a foreign caller's.
 *
 * - `parts`: the bytes beside `flash:args`; without them its text holds them.
 * - throws `BAD_INPUT` naming the parameter and the known ones.
 */
export function readInput(shape: InputShape, input: unknown, parts: readonly Uint8Array[] = []): ReadInput {
  checkPlain(input)
  if (!isRecord(input)) throw badInput('the input is no object', 'send {"input": {"<parameter>": …}}')
  const header = Object.hasOwn(input, 'flash:call') ? parseHeader(input['flash:call']) : null
  const { 'flash:call': _, ...fields } = input
  const method = header ? undefined : takeMethod(shape, fields)
  const callable = findCallable(shape, header?.fn ?? method)
  const args = Object.hasOwn(fields, 'flash:args')
    ? readRichArgs(fields, parts)
    : readFields(shape, callable, fields)
  return {
    callable: callable.name,
    args,
    construct: readConstruct(shape, header),
    header,
    foreign: header === null,
  }
}

function takesObject(shape: InputShape, { params }: CallableShape): boolean {
  return shape.takesObject || (params?.length === 1 && params[0]!.kind === 'pattern')
}

/** The name of each parameter in an input; `null` when names cannot tell them apart. */
function namesOf(params: readonly ParamFact[] | null): string[] | null {
  if (!params) return null
  const names = params.map(({ name, kind }, position) => (kind === 'pattern' ? `arg${position}` : name))
  const usable =
    new Set(names).size === names.length && !names.some((name) => isForbiddenKey(name) || name === '__empty')
  return usable ? names : null
}

function countRequired(params: readonly ParamFact[]): number {
  return params.findLastIndex(({ kind, optional }) => kind !== 'rest' && !optional) + 1
}

function writeNames(shape: InputShape, callable: CallableShape, args: readonly unknown[]): QueueInput | null {
  if (takesObject(shape, callable)) return writeObject(args)
  const names = namesOf(callable.params)
  if (!names) return { args: [...args] }
  const params = callable.params!
  const hasRest = params.at(-1)?.kind === 'rest'
  if (args.length < countRequired(params) || (args.length > params.length && !hasRest)) return null
  const fields: QueueInput = {}
  params.forEach(({ kind }, position) => {
    if (position >= args.length) return
    fields[names[position]!] = kind === 'rest' ? args.slice(position) : args[position]
  })
  return fields
}

/** The object itself, unless it could be read as something else: nothing, a list of arguments, or keys of ours. */
function writeObject(args: readonly unknown[]): QueueInput | null {
  const [object] = args
  if (args.length !== 1 || !isRecord(object)) return null
  const keys = Object.keys(object)
  if (
    keys.length === 0 ||
    keys.some((key) => key === 'args' || key === '__empty' || key.startsWith('flash:'))
  )
    return null
  return { ...object }
}

function parseHeader(header: unknown): CallHeader {
  if (!isRecord(header) || header.v !== 1) {
    throw badInput('"flash:call" is not of version 1', 'build caller and function with the same version')
  }
  for (const [key, is] of Object.entries(headerFields)) {
    if (header[key] !== undefined && !is(header[key]))
      throw badInput(`"flash:call" has a field "${key}" of the wrong type`)
  }
  return header as unknown as CallHeader
}

const isText = (value: unknown) => typeof value === 'string'
const isNumber = (value: unknown) => typeof value === 'number'

const headerFields: Record<string, (value: unknown) => boolean> = {
  fn: isText,
  new: (value) => isText(value) || Array.isArray(value),
  bundle: isText,
  deadline: isNumber,
  hops: isNumber,
  trace: isText,
}

/** Python callers name the method of a class beside its arguments. */
function takeMethod(shape: InputShape, fields: Record<string, unknown>): string | undefined {
  const method = Object.hasOwn(fields, 'method') ? fields.method : undefined
  if (shape.kind !== 'class' || typeof method !== 'string') return undefined
  if (shape.callables.some(({ params }) => namesOf(params)?.includes('method'))) return undefined
  // With one method there is nothing to choose, and the key may be data.
  if (shape.callables.length === 1 && shape.callables[0]!.name !== method) return undefined
  delete fields.method
  return method
}

function findCallable(shape: InputShape, name: string | undefined): CallableShape {
  const [only] = shape.callables
  if (shape.kind !== 'class' || (name === undefined && shape.callables.length === 1))
    return only ?? { name: 'default', params: null }
  const found = shape.callables.find((callable) => callable.name === name)
  if (found) return found
  const known = shape.callables.map((callable) => callable.name)
  if (name === undefined) {
    throw badInput(
      'the class has several methods and the input names none',
      `add "method": one of ${known.join(', ')}`,
      { known },
    )
  }
  throw badInput(`the class has no method ${quote(name)}`, suggest(name, known, 'its methods'), { known })
}

function readRichArgs(fields: Record<string, unknown>, parts: readonly Uint8Array[]): unknown[] {
  const { 'flash:args': text, ...others } = fields
  const [other] = Object.keys(others)
  if (other !== undefined) throw badInput(`the input has both "flash:args" and ${quote(other)}`)
  return readList(text, parts, '"flash:args"')
}

function readConstruct({ construct }: InputShape, header: CallHeader | null): unknown[] {
  const given = readNew(header)
  const required = countRequired(construct ?? [])
  if (given.length >= required) return given
  const { name } = construct![given.length]!
  throw badInput(
    `the class is made with "${name}", and the call gives no value for it`,
    'send "flash:call": {"v": 1, "new": [ … ]} with what its constructor takes',
    { parameter: name },
  )
}

function readNew(header: CallHeader | null): unknown[] {
  if (header?.new === undefined) return []
  if (typeof header.new === 'string') return readList(header.new, [], '"new" of "flash:call"')
  return checkCount(header.new)
}

function readList(text: unknown, parts: readonly Uint8Array[], where: string): unknown[] {
  const list = typeof text === 'string' ? decodeValue(true, text, parts) : undefined
  if (!Array.isArray(list)) throw badInput(`${where} is no list of arguments`)
  return checkCount(list)
}

function checkCount(list: unknown[]): unknown[] {
  if (list.length <= decodeLimits.args) return list
  throw badInput(`there are ${list.length} arguments, the limit is ${decodeLimits.args}`)
}

function readFields(shape: InputShape, callable: CallableShape, fields: Record<string, unknown>): unknown[] {
  const given = isEmptyMark(fields) ? {} : fields
  const names = namesOf(callable.params)
  const one = takesObject(shape, callable)
  const positions = one || !names?.includes('args') ? onlyArgs(given) : undefined
  if (positions) return readPositions(shape, callable, checkCount(positions))
  if (one) return readObject(shape, callable, given)
  if (names) return readNames(callable.params!, names, given)
  const [key] = Object.keys(given)
  if (key === undefined) return []
  throw badInput(
    `the parameter names of this function are not known here, so ${quote(key)} cannot be placed`,
    'send {"args": [ … ]}',
  )
}

/** Python's SDKs send this for no arguments, because an empty input is dropped on the way. */
function isEmptyMark(fields: Record<string, unknown>): boolean {
  return fields.__empty === true && Object.keys(fields).length === 1
}

function onlyArgs(fields: Record<string, unknown>): unknown[] | undefined {
  return Array.isArray(fields.args) && Object.keys(fields).length === 1 ? fields.args : undefined
}

function readObject(shape: InputShape, { params }: CallableShape, given: Record<string, unknown>): unknown[] {
  const own = Object.keys(given).find((key) => key.startsWith('flash:'))
  if (own !== undefined) throw badInput(`the input has an unknown key ${quote(own)}`)
  const hasDefault = !shape.takesObject && params?.[0]?.optional === true
  return hasDefault && Object.keys(given).length === 0 ? [] : [{ ...given }]
}

function readPositions(shape: InputShape, callable: CallableShape, args: unknown[]): unknown[] {
  const first = callable.params?.[0] ?? { name: 'input', kind: 'plain', optional: true }
  const params = takesObject(shape, callable) ? [first] : callable.params
  if (!params) return args
  const names = namesOf(params) ?? params.map((_, position) => `arg${position}`)
  if (args.length > params.length && params.at(-1)?.kind !== 'rest') {
    throw badInput(
      `there are ${args.length} arguments, the function takes at most ${params.length}`,
      knownNames(names, 'its parameters'),
    )
  }
  const required = countRequired(params)
  if (args.length < required) throw missing(names[args.length]!, names)
  return args
}

function readNames(params: readonly ParamFact[], names: string[], given: Record<string, unknown>): unknown[] {
  for (const key of Object.keys(given)) if (!names.includes(key)) throw unknownName(key, names)
  const args: unknown[] = []
  params.forEach(({ kind, optional }, position) => {
    const name = names[position]!
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (kind === 'rest') args.push(...readRest(name, value))
    else if (value === undefined && !optional) throw missing(name, names)
    else args.push(value)
  })
  // Left out at the end is not the same as undefined to a function that counts its arguments.
  return args.slice(0, args.findLastIndex((value) => value !== undefined) + 1)
}

function readRest(name: string, value: unknown): unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return checkCount(value)
  throw badInput(
    `the parameter "${name}" takes the remaining arguments and is no list here`,
    `send "${name}": [ … ]`,
    { parameter: name },
  )
}

function missing(name: string, known: string[]): AppError {
  return badInput(
    `the parameter "${name}" is missing and has no default`,
    `add ${JSON.stringify(name)} to the input`,
    { parameter: name, known },
  )
}

function unknownName(name: string, known: string[]): AppError {
  const hint = known.length > 0 ? suggest(name, known, 'its parameters') : 'the function takes no arguments'
  return badInput(`the function has no parameter ${quote(name)}`, hint, {
    parameter: name.slice(0, 64),
    known,
  })
}

function suggest(name: string, known: string[], what: string): string {
  const closest = findClosest(name, known)
  return closest ? `did you mean "${closest}"? ${knownNames(known, what)}` : knownNames(known, what)
}

function knownNames(names: string[], what: string): string {
  return `${what}: ${names.join(', ')}`
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function badInput(message: string, hint?: string, data?: unknown): AppError {
  return new AppError('BAD_INPUT', { message, hint, data })
}
