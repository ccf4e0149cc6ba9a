export type AnyFunction = (...args: any[]) => any
type AnyClass = abstract new (...args: any[]) => object

/** The type of a global class, `never` where the project's libraries have none. */
export type Global<Name extends string> = typeof globalThis extends {
  [key in Name]: { prototype: infer Instance }
}
  ? 0 extends 1 & Instance
    ? never
    : Instance
  : never

/** Values that the codec carries as a whole, and JSON as text. */
export type Whole = Date | ArrayBuffer | ArrayBufferView | Global<'URL'> | Global<'Blob'> | Global<'File'>

/**
 * What a type is to the codec. Decided once for each type: nearly every built-in has methods, so an object without any is not
 * compared with them.
 */
export type Kind<T> = T extends symbol | AnyFunction | AnyClass
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
  : T extends Global<'FormData'>
    ? 'form'
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
export type MethodKey<T> = {
  [K in keyof T]-?: 0 extends 1 & T[K] ? never : [Extract<T[K], AnyFunction>] extends [never] ? never : K
}[keyof T]

/** One member of a union. */
export type One<U> = (U extends unknown ? (member: () => U) => void : never) extends (
  member: infer All,
) => void
  ? All extends () => infer Last
    ? Last
    : never
  : never
