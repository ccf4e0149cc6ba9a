import { createCallable } from './callable.ts'
import type { Callable, Target } from './types.ts'

/** A class whose methods are called elsewhere, on an instance made there with the same arguments. */
export type RemoteClass = new (...args: unknown[]) => Record<string, Callable>

/** - `methods`: names with commas between them; `*` marks generators. */
export function createClass(target: Target, methods: string): RemoteClass {
  // oxlint-disable-next-line typescript/no-extraneous-class -- `new` is how its users make one
  return class {
    constructor(...args: unknown[]) {
      for (const [, generator, fn] of methods.matchAll(/(\*?)([^,*]+)/g)) {
        const value = createCallable({ ...target, generator: !!generator, bound: { new: args, fn: fn! } })
        // Defined, not assigned: no name means anything else here.
        Object.defineProperty(this, fn!, { value, writable: true, configurable: true })
      }
    }
  } as RemoteClass
}
