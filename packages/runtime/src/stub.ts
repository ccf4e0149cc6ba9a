import { createCallable } from './callable.ts'
import { createClass, type RemoteClass } from './class.ts'
import { postTo } from './post-to.ts'
import type { Callable } from './types.ts'

/**
 * Makes the stubs of a page.
 *
 * - `prefix`: the path of the routes, or their URL on another origin.
 * - `ref`: `<id>.<tag>`.
 */
export function bindStub(prefix: string): (ref: string, generator?: 0 | 1) => Callable {
  return (ref, generator) => createCallable({ ref, generator, post: postTo(prefix) })
}

/** The same for classes; `methods` as in `load,*tokens`, where `*` marks a generator. */
export function bindClass(prefix: string): (ref: string, methods: string) => RemoteClass {
  return (ref, methods) => createClass({ ref, post: postTo(prefix) }, methods)
}
