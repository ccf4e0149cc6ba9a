import { type Begun, call } from './call.ts'
import { laterGenerator, laterJob } from './later.ts'
import type { Callable, CallOptions, Target } from './types.ts'

type Name = keyof typeof import('./rest.ts')

/** What a stub is. */
export function createCallable(target: Target, options?: CallOptions): Callable {
  /** Remembers who called, and does the rest when it is wanted. */
  const later = (name: Name, args: any[], how = options) => {
    const site = new Error()
    return (begun?: Begun) =>
      import('./rest.ts').then(
        (rest: Record<Name, (...all: any[]) => any>) => rest[name](target, how, site, args, begun),
        // Offline, or after a deployment that removed this build's files: says at least what the answer said.
        async (cause) => {
          const problem = await begun?.response?.json().catch(() => {})
          throw Object.assign(
            new Error('a part of the app cannot be loaded', { cause }),
            { code: 'TRANSPORT' },
            problem,
          )
        },
      )
  }
  const inherit = () => (target.inherit ? target.inherit(options) : options)
  const stub: any = (...args: unknown[]) => {
    const how = inherit()
    if (target.generator) return laterGenerator(later('stream', args, how))
    const carryOn = later('carryOn', args, how)
    return how ? carryOn() : call(target, args, carryOn)
  }
  for (const name of ['run', 'warm'] as const) stub[name] = (...args: unknown[]) => later(name, args)()
  stub.map = (...args: unknown[]) => later('map', args, inherit())()
  stub.attach = (id: string) => laterJob(id, later('attach', [id]))
  stub.with = (more: CallOptions) => createCallable(target, { ...options, ...more })
  return stub
}
