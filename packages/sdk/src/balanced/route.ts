import type { RequestOptions } from '../client/types.ts'
import type { Global } from '../kind.ts'
import type { Flat } from './json.ts'
import type { ParamName } from './path.ts'
import type { CheckHandler, ResultUnder, RouteResult } from './result.ts'
import type { CheckOptions, CheckParams, PartOf, RouteOptions } from './schemas.ts'

/** What the handler of a route gets: what the schemas made of the request, and the request. */
export interface RouteInput<Params, Query, Body> {
  params: Params
  query: Query
  /**
   * JSON parsed, text as text, `FormData` of a form that is urlencoded; `undefined` for everything else, which `request` has.
   * Uploads (`multipart/form-data`) are read for a schema alone, else by `request.formData()`.
   */
  body: Body
  headers: Headers
  request: Request
}

/** `Given`: what the endpoint adds. */
type InputUnder<Given, Path extends string, S> = RouteInput<
  Made<S, 'params', { [Name in ParamName<Path>]: string }>,
  Made<S, 'query', QueryText>,
  Made<S, 'body', unknown>
> &
  Given

/** A name that comes several times is a list. */
export interface QueryText {
  [name: string]: string | string[] | undefined
}

type Made<S, Part extends keyof RouteOptions, Otherwise> = [PartOf<S, Part>] extends [never]
  ? Otherwise
  : PartOf<S, Part>['made']

/** How one call of a route is made. */
export interface RouteCallOptions {
  readonly headers?: RequestInit['headers'] | undefined
  /** Ends the request, also while its answer is read, and rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Until the result is there, or its head where it comes as a stream; afterwards the call rejects with `TIMEOUT`. */
  readonly timeoutMs?: number | undefined
  /** The header `Idempotency-Key`. */
  readonly idempotencyKey?: string | undefined
}

/**
 * A route as its callers see it.
 *
 * Resolves to the data, to an async generator of the items, or to the `Response` of a handler that gives one, a stream or bytes;
 * rejects with a `RemoteError`, or with the reason of the signal.
 */
export interface Route<Options, Result> {
  (...args: {} extends Options ? [options?: Options] : [options: Options]): Promise<Result>
}

type OptionsUnder<Path extends string, S, Without> = Flat<
  SentParams<Path, S> & SentQuery<S> & ('body' extends Without ? {} : SentBody<S>) & RouteCallOptions
>

type SentParams<Path extends string, S> = [PartOf<S, 'params'>] extends [never]
  ? [ParamName<Path>] extends [never]
    ? {}
    : Maybe<'params', { readonly [Name in ParamName<Path>]: string | number }>
  : Maybe<'params', PartOf<S, 'params'>['sent']>

type SentQuery<S> = [PartOf<S, 'query'>] extends [never]
  ? { readonly query?: RequestOptions['query'] }
  : Maybe<'query', PartOf<S, 'query'>['sent']>

/** A form is an object to the schema. */
type SentBody<S> = [PartOf<S, 'body'>] extends [never]
  ? { readonly body?: unknown }
  : undefined extends PartOf<S, 'body'>['sent']
    ? { readonly body?: Sendable<PartOf<S, 'body'>['sent']> | FormData }
    : { readonly body: Sendable<PartOf<S, 'body'>['sent']> | FormData }

/** JSON has no files: with one among its fields an object is sent as a form. */
type Sendable<T> = T extends object ? ([FileIn<T[keyof T]>] extends [never] ? T : never) : T
type FileIn<Field> = unknown extends Field ? never : Extract<OneOf<Field>, Global<'Blob'>>
type OneOf<Field> = Field extends readonly (infer Item)[] ? Item : Field

/** An object that may be left out when it may be empty. */
type Maybe<Name extends string, T> = {} extends T
  ? { readonly [N in Name]?: T | undefined }
  : { readonly [N in Name]: T }

/** Adds a route; `Without` names what its method has not. */
export interface DefineRoute<Given, Without extends keyof RouteOptions = never> {
  <
    Path extends `/${string}`,
    F extends (input: InputUnder<Given, Path, S>) => ResultUnder<S>,
    S extends RouteOptions = {},
  >(
    path: Path,
    handler: F & CheckHandler<F, S>,
    options?: S & CheckOptions<S, Without> & CheckParams<S, ParamName<Path>>,
  ): Route<OptionsUnder<Path, S, Without>, RouteResult<ReturnType<F>, S>>
}
