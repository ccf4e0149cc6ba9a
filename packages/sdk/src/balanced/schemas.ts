import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What a route checks, and by what; each a Standard Schema of zod, valibot or another library. */
export interface RouteOptions {
  /** Of the path's parameters, an object. They arrive as text and are turned into what the schema names. */
  readonly params?: StandardSchemaV1 | undefined
  /** Of the query, an object; treated like `params`. */
  readonly query?: StandardSchemaV1 | undefined
  /** Of JSON, or of a form as an object: a field that comes several times is a list, a file stays a `File`. */
  readonly body?: StandardSchemaV1 | undefined
  /** Of the result, or of each item of a generator; callers get what it makes of them. */
  readonly response?: StandardSchemaV1 | undefined
  /** `false`; with `true` the handler runs in the app's own server, which this version cannot do yet (`NOT_AVAILABLE`). */
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
