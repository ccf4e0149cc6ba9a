import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CheckClass, CheckSignature, IsUnchecked, ItemsOf, Unchecked } from './check.ts'
import type { AnyFunction } from './kind.ts'
import type { Methods } from './job.ts'

type AsyncFunction = (...args: any[]) => PromiseLike<any> | AsyncIterable<any>
export type Class = new (...args: any[]) => object
type Has<T> = [T] extends [never] ? false : true

/** What a config's `input` takes from the caller and gives to the function; `never` without one. */
type InputOf<C> = C extends { readonly input: infer S extends StandardSchemaV1 }
  ? { sent: StandardSchemaV1.InferInput<S>; seen: StandardSchemaV1.InferOutput<S> }
  : never

/** What a config's `output` takes from the function and gives to the caller; `never` without one. */
type OutputOf<C> = C extends { readonly output: infer S extends StandardSchemaV1 }
  ? { made: StandardSchemaV1.InferInput<S>; sent: StandardSchemaV1.InferOutput<S> }
  : never

/** What a config's `setup` leaves for the function; `never` without one. */
export type StateOf<C> = C extends { readonly setup: (...args: never[]) => infer State }
  ? { state: Awaited<State> }
  : never

/** What a function under this config must look like. */
export type FunctionUnder<C> =
  Has<StateOf<C>> extends true
    ? (input: SeenUnder<C>, state: StateOf<C>['state']) => MadeUnder<C>
    : Has<InputOf<C>> extends true
      ? (input: SeenUnder<C>) => MadeUnder<C>
      : (...args: any[]) => MadeUnder<C>

type SeenUnder<C> = Has<InputOf<C>> extends true ? InputOf<C>['seen'] : any
type MadeUnder<C> = Has<OutputOf<C>> extends true ? InSomeWay<OutputOf<C>['made']> : any
type InSomeWay<T> = T | PromiseLike<T> | AsyncGenerator<T, void, any> | Generator<T, void, any>

/** What the stub takes. */
type Sent<C, F extends AnyFunction> =
  Has<InputOf<C>> extends true
    ? OneInput<InputOf<C>['sent']>
    : Has<StateOf<C>> extends true
      ? FirstOf<Parameters<F>>
      : Parameters<F>

type OneInput<T> = undefined extends T ? [input?: T] : [input: T]

/** The first parameter under its own name, without the state behind it. */
type FirstOf<P extends readonly unknown[]> = P extends readonly [] | readonly [any] | readonly [any?]
  ? P
  : P extends readonly [...infer First, any]
    ? First
    : P extends readonly [(infer First)?, ...any[]]
      ? OneInput<First>
      : P

/** What the stub returns: a promise, or an async generator of items. */
type Answer<C, R> = [ItemsOf<R>] extends [never]
  ? Promise<Has<OutputOf<C>> extends true ? OutputOf<C>['sent'] : Awaited<R>>
  : AsyncGenerator<Has<OutputOf<C>> extends true ? OutputOf<C>['sent'] : ItemsOf<R>['item'], void, unknown>

/** Whether the stub can have the very type of the function, generics and overloads included. */
type KeepsType<C, F> =
  Has<StateOf<C> | InputOf<C> | OutputOf<C>> extends true
    ? false
    : F extends AsyncFunction
      ? F extends (...args: any[]) => never
        ? false
        : true
      : false

/** The stub of a function, without the members it has besides. */
type Stub<C, F extends AnyFunction> =
  KeepsType<C, F> extends true ? WithoutMark<F> : (...args: Sent<C, F>) => Answer<C, ReturnType<F>>

type WithoutMark<F> = F extends Unchecked & infer Own ? (IsUnchecked<F> extends true ? Own : F) : F

type MethodName<T> = {
  [K in keyof T & string]: K extends `_${string}` | 'constructor' | 'then' | 'toJSON'
    ? never
    : 0 extends 1 & T[K]
      ? never
      : [T[K]] extends [AnyFunction]
        ? K
        : never
}[keyof T & string]

type StubWithMethods<C, F> = F extends AnyFunction ? Stub<C, F> & Methods<Stub<C, F>> : never

/**
 * What `remote(config, body)` is to a caller. Of a class only the public methods are left, each answering later; fields,
 * accessors and statics stay on the worker.
 *
 * The class form is written out here: behind a name of its own the compiler would print the class itself, with its private
 * members, into the declarations of whoever exports it.
 */
export type Remote<C, F> = F extends Class
  ? new (
      ...args: ConstructorParameters<F>
    ) => { [K in MethodName<InstanceType<F>>]: StubWithMethods<unknown, InstanceType<F>[K]> }
  : StubWithMethods<C, F>

/** `unknown`, or a message about one thing that cannot travel. */
export type Check<C, F> = F extends Class
  ? Has<InputOf<C> | OutputOf<C>> extends true
    ? { 'flash config': 'input and output are for functions: a class has several' }
    : IsUnchecked<F> extends true
      ? unknown
      : CheckClass<F, MethodName<InstanceType<F>>>
  : F extends AnyFunction
    ? IsUnchecked<F> extends true
      ? unknown
      : CheckSignature<Sent<C, F>, Has<OutputOf<C>> extends true ? Answer<C, ReturnType<F>> : ReturnType<F>>
    : unknown
