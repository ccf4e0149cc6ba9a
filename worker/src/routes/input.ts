import type { Visit } from '../balanced/visit.ts'

/** What schemas made of the parts of a request. */
export interface Parts {
  params: unknown
  query: unknown
  body: unknown
}

const visitKey = Symbol('visit')

interface Holder {
  readonly [visitKey]: Visit
}

/**
 * Own fields, so that `{ ...input }` has them, made for those who look: most handlers have all they want by now.
 *
 * The same functions for all requests: with accessors of its own each object would get a shape of its own, which only a full
 * garbage collection takes away.
 */
const headers: PropertyDescriptor & ThisType<Holder> = {
  enumerable: true,
  get() {
    return this[visitKey].headers()
  },
}

const request: PropertyDescriptor & ThisType<Holder> = {
  enumerable: true,
  get() {
    return this[visitKey].request()
  },
}

/** What the handler of a route gets. */
export class Input implements Parts {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  declare readonly headers: Headers
  declare readonly request: Request
  readonly state: unknown

  constructor(visit: Visit, { params, query, body }: Parts, state: unknown) {
    this.params = params
    this.query = query
    this.body = body
    Object.defineProperty(this, 'headers', headers)
    Object.defineProperty(this, 'request', request)
    Object.defineProperty(this, visitKey, { value: visit })
    this.state = state
  }
}
