import { createCallable } from './callable.ts'
import { createClass } from './class.ts'
import type { serverClass, serverStub } from './server-stub.ts'
import type { Post, Target } from './types.ts'

export interface ServerStubs {
  serverStub: typeof serverStub
  serverClass: typeof serverClass
}

/** The stubs of code on a server whose calls all go one way. */
export function bindServerStubs(post: Post, inherit?: Target['inherit']): ServerStubs {
  return {
    serverStub: (id, generator, info) => createCallable({ ref: id, server: info, post, inherit, generator }),
    serverClass: (id, methods, info) => createClass({ ref: id, server: info, post, inherit }, methods),
  }
}
