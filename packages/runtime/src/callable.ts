import { type Begun, call } from './call.ts'
import { laterGenerator, laterJob } from './later.ts'
import type { Callable, CallOptions, Target } from './types.ts'

type Name = keyof typeof import('./rest.ts')

/** What a stub is. */
export function createCallable(target: Target, options?: CallOptions): Callable {
  /** Remembers who called, and does the rest when it is wanted. */
  const later = (name: Name, args: any[]) => {
    const site = new Error()
    return (begun?: Begun) =>
      import('./rest.ts').then(
        (rest: Record<Name, (...all: any[]) => any>) => rest[name](target, options, site, args, begun),
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
  const stub: any = (...args: unknown[]) => {
    if (target.generator) return laterGenerator(later('stream', args))
    const carryOn = later('carryOn', args)
    return options ? carryOn() : call(target, args, carryOn)
  }
  for (const name of ['run', 'map', 'warm'] as const) stub[name] = (...args: unknown[]) => later(name, args)()
  stub.attach = (id: string) => laterJob(id, later('attach', [id]))
  stub.with = (more: CallOptions) => createCallable(target, { ...options, ...more })
  return stub
}
