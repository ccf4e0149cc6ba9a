import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What a route checks, and by what; each a Standard Schema of zod, valibot or another library. */
export interface RouteOptions {
  /** Of the path's parameters, an object that needs no others. They arrive as text and are turned into what the schema names. */
  readonly params?: StandardSchemaV1 | undefined
  /** Of the query, an object; treated like `params`. */
  readonly query?: StandardSchemaV1 | undefined
  /** Of JSON, or of a form as an object: a field that comes several times is a list, a file stays a `File`. */
  readonly body?: StandardSchemaV1 | undefined
  /** Of the result, or of each item of a generator; callers get what it makes of them. */
  readonly response?: StandardSchemaV1 | undefined
  /**
   * `false`; with `true` the handler runs in the app's own server instead of a worker, and sees the cookies of pages. An app without a
   * server is `LOCAL_NEEDS_SERVER`.
   */
  readonly local?: boolean | undefined
}

/** What the schema of a part takes from the caller, and what it makes of it; `never` without one. */
export type PartOf<S, Part extends keyof RouteOptions> = S extends {
  readonly [key in Part]: infer Schema extends StandardSchemaV1
}
  ? { sent: StandardSchemaV1.InferInput<Schema>; made: StandardSchemaV1.InferOutput<Schema> }
  : never

/** What is wrong with the options: fields that are none, and a schema for a body that no request can have. */
export type CheckOptions<S, Without extends keyof RouteOptions> = [
  Exclude<keyof S, Exclude<keyof RouteOptions, Without>>,
] extends [never]
  ? unknown
  : {
      readonly [K in Exclude<keyof S, Exclude<keyof RouteOptions, Without>>]: {
        'flash route': K extends Without ? `this method has no ${K}` : 'not an option of a route'
      }
    }

/** What is wrong with the schema of the parameters `Name`: nothing that the path has would fit it. */
export type CheckParams<S, Name extends string> = string extends Name
  ? unknown
  : [PartOf<S, 'params'>] extends [never]
    ? unknown
    : CheckSent<PartOf<S, 'params'>['sent'], Name>

/** One member of a union that fits is enough. */
type CheckSent<Sent, Name> =
  true extends Fits<Sent, Name>
    ? unknown
    : { readonly params: { 'flash route': Exclude<Fits<Sent, Name>, true> } }

type Fits<Sent, Name> = unknown extends Sent
  ? true
  : Sent extends object
    ? [Exclude<NeededKey<Sent>, Name>] extends [never]
      ? true
      : `the path has no parameter ${Exclude<NeededKey<Sent>, Name>}`
    : 'the parameters of a path are an object'

/** The keys that an object cannot be without. */
type NeededKey<T> = { [K in keyof T & string]-?: {} extends Pick<T, K> ? never : K }[keyof T & string]
