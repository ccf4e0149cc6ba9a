import type { Kind, MethodKey, One } from './kind.ts'

/**
 * What cannot travel between caller and worker, found by the compiler.
 *
 * Two passes: `Flaw` only says whether there is something, under a key that the compiler caches, so that a type with very many
 * paths (a syntax tree) is looked at once; `Find` then follows one path to it. Both look six levels deep.
 * `any`, `unknown` and type parameters pass: the codec is the judge at run time.
 */

/** `json` is out too, without the codec. */
type Direction = 'in' | 'out' | 'json'

/** Laid over a function that goes through without the check. */
declare const uncheckedMark: unique symbol
export interface Unchecked {
  readonly [uncheckedMark]?: true
}
export type IsUnchecked<F> = typeof uncheckedMark extends keyof F ? true : false

type Lower = [never, 0, 1, 2, 3, 4, 5]
type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6

type Scalar = string | number | boolean | null | undefined | void

/**
 * What is wrong in `T`: `'rich'` for what JSON has no word for, `'error'` for what only the codec carries, and only out,
 * `'never'` for the rest; the type `never` when all is well.
 */
type Flaw<T, L extends Level> = unknown extends T
  ? never
  : T extends Scalar
    ? never
    : T extends bigint
      ? 'rich'
      : FlawOf<T, Kind<T>, L>

type FlawOf<T, K, L extends Level> = K extends 'whole'
  ? never
  : K extends 'refused' | 'methods'
    ? 'never'
    : K extends 'error'
      ? 'error'
      : K extends 'form' | 'map' | 'set'
        ? 'rich' | (L extends 0 ? never : EntryFlaw<T, Lower[L]>)
        : L extends 0
          ? never
          : K extends 'fields'
            ? FieldFlaws<T, Lower[L]>[keyof T & (string | number)]
            : Flaw<T[number & keyof T], Lower[L]>

type EntryFlaw<T, L extends Level> =
  T extends ReadonlyMap<infer Key, infer Value>
    ? Flaw<Key | Value, L>
    : T extends ReadonlySet<infer Value>
      ? Flaw<Value, L>
      : never

type FieldFlaws<T, L extends Level> = {
  [K in keyof T & (string | number)]-?: Flaw<T[K], L>
}

interface Carried {
  in: 'rich'
  out: 'rich' | 'error'
  json: never
}

type Travels<T, D extends Direction, L extends Level> = [Exclude<Flaw<T, L>, Carried[D]>] extends [never]
  ? true
  : false

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
      : K extends Opened<D>
        ? T extends ReadonlyMap<infer Key, infer Value>
          ? Travels<Key, D, L> extends true
            ? Find<Value, D, L, `${Path}.values()[]`>
            : Find<Key, D, L, `${Path}.keys()[]`>
          : T extends ReadonlySet<infer Value>
            ? Find<Value, D, L, `${Path}.values()[]`>
            : Path
        : Path

/** What a flaw can be in, instead of being one. */
type Opened<D> = D extends 'json' ? never : 'map' | 'set'

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

/** The same of something that travels as JSON: dates, URLs and bytes as text. */
export type CheckJson<T, Path extends string> =
  Travels<T, 'json', 6> extends true ? unknown : { 'JSON cannot carry': Find<T, 'json', 6, Path> }

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
