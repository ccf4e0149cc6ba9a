import type { AnyFunction, Whole } from '../kind.ts'

/**
 * What is left of a value that travelled as JSON: dates and URLs as text, bytes as base64, fields that are `undefined` left out,
 * `null` where a list has `undefined`.
 */
export type Json<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends void
      ? undefined
      : T extends bigint | symbol | AnyFunction
        ? never
        : T extends Whole
          ? string
          : T extends readonly unknown[]
            ? JsonList<T>
            : JsonFields<T>

/** An array type is written as such, so that types which contain themselves end. */
type JsonList<T extends readonly unknown[]> = number extends T['length']
  ? T extends unknown[]
    ? JsonItem<T[number]>[]
    : readonly JsonItem<T[number]>[]
  : { [K in keyof T]: JsonItem<T[K]> }

type JsonItem<T> = unknown extends T ? T : undefined extends T ? Json<Exclude<T, undefined>> | null : Json<T>

type JsonFields<T> = [LooseKey<T>] extends [never]
  ? { [K in keyof T as K extends symbol ? never : K]: Json<T[K]> }
  : Flat<
      { [K in keyof T as K extends symbol | LooseKey<T> ? never : K]: Json<T[K]> } & {
        [K in keyof T as K extends LooseKey<T> ? K : never]?: Json<Exclude<T[K], undefined>>
      }
    >

/** Keys of fields that are not there when they are `undefined`. */
type LooseKey<T> = {
  [K in keyof T & string]-?: unknown extends T[K]
    ? never
    : string extends K
      ? never
      : undefined extends T[K]
        ? K
        : never
}[keyof T & string]

/** Written out as one object. */
export type Flat<T> = { [K in keyof T]: T[K] }
