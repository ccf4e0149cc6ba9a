/**
 * What cannot travel between caller and worker, found by the compiler.
 *
 * Two passes: `Flaw` only says whether there is something, under a key that the compiler caches, so that a type with very many
 * paths (a syntax tree) is looked at once; `Find` then follows one path to it. Both look six levels deep.
 * `any`, `unknown` and type parameters pass: the codec is the judge at run time.
 */

type Direction = 'in' | 'out'

/** Laid over a function that goes through without the check. */
declare const uncheckedMark: unique symbol
export interface Unchecked {
  readonly [uncheckedMark]?: true
}
export type IsUnchecked<F> = typeof uncheckedMark extends keyof F ? true : false

export type AnyFunction = (...args: any[]) => any
type AnyClass = abstract new (...args: any[]) => object

type Lower = [never, 0, 1, 2, 3, 4, 5]
type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6

/** The type of a global class, `never` where the project's libraries have none. */
type Global<Name extends string> = typeof globalThis extends { [key in Name]: { prototype: infer Instance } }
  ? 0 extends 1 & Instance
    ? never
    : Instance
  : never

type Scalar = string | number | boolean | bigint | null | undefined | void
type Whole =
  | Date
  | ArrayBuffer
  | ArrayBufferView
  | Global<'URL'>
  | Global<'Blob'>
  | Global<'File'>
  | Global<'FormData'>

/**
 * What a type is to the codec. Decided once for each type: nearly every built-in has methods, so an object without any is not
 * compared with them.
 */
type Kind<T> = T extends symbol | AnyFunction | AnyClass
  ? 'refused'
  : T extends readonly unknown[]
    ? 'list'
    : [MethodKey<T>] extends [never]
      ? WithoutMethods<T>
      : BuiltIn<T>

type WithoutMethods<T> = 'stack' extends keyof T
  ? ErrorOr<T, 'fields'>
  : 'byteOffset' extends keyof T
    ? T extends ArrayBufferView
      ? 'whole'
      : 'fields'
    : 'fields'

type BuiltIn<T> = T extends Whole
  ? 'whole'
  : T extends ReadonlyMap<any, any>
    ? 'map'
    : T extends ReadonlySet<any>
      ? 'set'
      : T extends RegExp | PromiseLike<any> | WeakMap<any, any> | WeakSet<any>
        ? 'refused'
        : ErrorOr<T, 'methods'>

/** Something with a name and a message is an `Error` only if it has a `stack` too. */
type ErrorOr<T, Other> = T extends Error ? ('stack' extends keyof T ? 'error' : Other) : Other

/** Keys of what is certainly a function. */
type MethodKey<T> = {
  [K in keyof T]-?: 0 extends 1 & T[K] ? never : [Extract<T[K], AnyFunction>] extends [never] ? never : K
}[keyof T]

/** What is wrong in `T`: `'error'` for something that only travels out, `'never'` for the rest; the type `never` when all is well. */
type Flaw<T, L extends Level> = unknown extends T ? never : T extends Scalar ? never : FlawOf<T, Kind<T>, L>

type FlawOf<T, K, L extends Level> = K extends 'whole'
  ? never
  : K extends 'refused' | 'methods'
    ? 'never'
    : K extends 'error'
      ? 'error'
      : L extends 0
        ? never
        : K extends 'fields'
          ? FieldFlaws<T, Lower[L]>[keyof T & (string | number)]
          : K extends 'list'
            ? Flaw<T[number & keyof T], Lower[L]>
            : T extends ReadonlyMap<infer Key, infer Value>
              ? Flaw<Key | Value, Lower[L]>
              : T extends ReadonlySet<infer Value>
                ? Flaw<Value, Lower[L]>
                : never

type FieldFlaws<T, L extends Level> = {
  [K in keyof T & (string | number)]-?: Flaw<T[K], L>
}

type Travels<T, D extends Direction, L extends Level> = [
  D extends 'out' ? Exclude<Flaw<T, L>, 'error'> : Flaw<T, L>,
] extends [never]
  ? true
  : false

/** One member of a union. */
type One<U> = (U extends unknown ? (member: () => U) => void : never) extends (member: infer All) => void
  ? All extends () => infer Last
    ? Last
    : never
  : never

type FlawedMember<T, D extends Direction, L extends Level> = T extends unknown
  ? Travels<T, D, L> extends true
    ? never
    : T
  : never

type FlawedKey<T, K extends keyof T, D extends Direction, L extends Level> = K extends unknown
  ? Travels<T[K], D, L> extends true
    ? never
    : K
  : never

/** The path to one flaw of `T`, which has one. */
type Find<T, D extends Direction, L extends Level, Path extends string> =
  One<FlawedMember<T, D, L>> extends infer M ? FindIn<M, Kind<M>, D, Lower[L], Path> : never

type FindIn<T, K, D extends Direction, L extends Level, Path extends string> = K extends 'fields'
  ? FindAt<T, One<FlawedKey<T, keyof T & (string | number), D, L>>, D, L, Path>
  : K extends 'list'
    ? number extends T['length' & keyof T]
      ? Find<T[number & keyof T], D, L, `${Path}[]`>
      : FindAt<T, One<FlawedKey<T, keyof T & `${number}`, D, L>>, D, L, Path>
    : K extends 'methods'
      ? `${Path}${Step<One<MethodKey<T>>>}`
      : K extends 'map' | 'set'
        ? T extends ReadonlyMap<infer Key, infer Value>
          ? Travels<Key, D, L> extends true
            ? Find<Value, D, L, `${Path}.values()[]`>
            : Find<Key, D, L, `${Path}.keys()[]`>
          : T extends ReadonlySet<infer Value>
            ? Find<Value, D, L, `${Path}.values()[]`>
            : Path
        : Path

type FindAt<T, K, D extends Direction, L extends Level, Path extends string> = K extends keyof T
  ? Find<T[K], D, L, `${Path}${Step<K>}`>
  : Path

type Step<K> = K extends number | `${number}`
  ? number extends K
    ? '[]'
    : `[${K}]`
  : K extends string
    ? string extends K
      ? '[]'
      : `.${K}`
    : ''

/** `unknown` when `T` travels, else the message; written out here, so that the compiler prints it whole. */
type CheckValue<T, D extends Direction, Path extends string> =
  Travels<T, D, 6> extends true ? unknown : { 'flash cannot carry': Find<T, D, 6, Path> }

/** The first message among the arguments, which are named by their position. */
type CheckArguments<
  P extends readonly unknown[],
  Label extends string = 'argument',
  Done extends unknown[] = [],
> = P extends readonly []
  ? unknown
  : P extends readonly [infer First, ...infer Rest]
    ? CheckNext<First, Rest, Label, Done>
    : P extends readonly (infer Each)[]
      ? number extends P['length']
        ? CheckValue<Each, 'in', `${Label} ${Done['length']}`>
        : P extends readonly [(infer First)?, ...infer Rest]
          ? CheckNext<First, Rest, Label, Done>
          : unknown
      : unknown

type CheckNext<First, Rest extends readonly unknown[], Label extends string, Done extends unknown[]> =
  unknown extends CheckValue<First, 'in', `${Label} ${Done['length']}`>
    ? CheckArguments<Rest, Label, [...Done, unknown]>
    : CheckValue<First, 'in', `${Label} ${Done['length']}`>

/** What a function gives back, whatever way: items one by one, or a value. */
export type ItemsOf<R> = 0 extends 1 & R
  ? never
  : [R] extends [never]
    ? never
    : [R] extends [{ getReader: unknown } | { pipe: unknown }]
      ? never
      : [R] extends [AsyncIterable<infer Item>]
        ? { item: Item }
        : [R] extends [Iterator<infer Item, any, any>]
          ? { item: Item }
          : never

type CheckResult<R, Prefix extends string> = [ItemsOf<R>] extends [never]
  ? CheckValue<Awaited<R>, 'out', `${Prefix}result`>
  : unknown extends CheckReturned<R, Prefix>
    ? CheckValue<ItemsOf<R>['item'], 'out', `${Prefix}item`>
    : CheckReturned<R, Prefix>

/** A generator's own return value stays behind. */
type CheckReturned<R, Prefix extends string> = R extends
  | AsyncGenerator<any, infer Returned, any>
  | Generator<any, infer Returned, any>
  ? [Returned] extends [void | undefined]
    ? unknown
    : { 'flash cannot carry': `${Prefix}what the generator returns` }
  : unknown

/** What is wrong with the arguments, else with the result. */
export type CheckSignature<P extends readonly unknown[], R, Prefix extends string = ''> =
  unknown extends CheckArguments<P, `${Prefix}argument`>
    ? CheckResult<R, Prefix>
    : CheckArguments<P, `${Prefix}argument`>

/** What is wrong with the constructor, else with one of the public methods. */
export type CheckClass<K extends abstract new (...args: any[]) => object, Name extends PropertyKey> =
  unknown extends CheckArguments<ConstructorParameters<K>, 'constructor argument'>
    ? CheckMethods<InstanceType<K>, Name>
    : CheckArguments<ConstructorParameters<K>, 'constructor argument'>

type CheckMethods<T, Name extends PropertyKey> = [FlawedMethod<T, Name>] extends [never]
  ? unknown
  : CheckMethod<T, One<FlawedMethod<T, Name>>>

type FlawedMethod<T, Name extends PropertyKey> = Name extends keyof T
  ? unknown extends CheckMethod<T, Name>
    ? never
    : Name
  : never

type CheckMethod<T, Name> = Name extends keyof T & string
  ? T[Name] extends (...args: infer P) => infer R
    ? CheckSignature<P, R, `${Name}() `>
    : unknown
  : unknown
