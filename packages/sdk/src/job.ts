import type { CallOptions as RuntimeCallOptions, MapOptions as RuntimeMapOptions, Job } from '@flash/runtime'
import type { ItemsOf } from './check.ts'
import type { AnyFunction } from './kind.ts'

export type { Job, JobEvent, JobStatus } from '@flash/runtime'

/** Under `exactOptionalPropertyTypes` an option may still be given as `undefined`. */
type OrUndefined<T> = { readonly [K in keyof T]: T[K] | undefined }

/** What `.with()` takes. In a browser only `signal`, `timeoutMs` and `idempotencyKey` pass. */
export interface CallOptions extends OrUndefined<RuntimeCallOptions> {}

/** What `.map()` takes. */
export interface MapOptions extends OrUndefined<RuntimeMapOptions> {}

/** The awaited result of a stub; of a generator, all its items. */
type Out<F extends AnyFunction> = [ItemsOf<ReturnType<F>>] extends [never]
  ? Awaited<ReturnType<F>>
  : ItemsOf<ReturnType<F>>['item'][]

/** What a stub has besides being callable. */
export interface Methods<F extends AnyFunction> {
  /** Submits the call as a job that goes on without the caller; resolves once it is accepted. */
  run(...args: Parameters<F>): Promise<Job<Out<F>>>
  /** The same function under these options; later ones win, and nothing is sent. */
  with(options: CallOptions): F & Methods<F>
  /** Calls once for each item. Results are in the order of the items; the first failure cancels the rest and rejects. */
  map(
    items: Iterable<Item<F>>,
    options?: MapOptions & { readonly settle?: false | undefined },
  ): Promise<Out<F>[]>
  map(
    items: Iterable<Item<F>>,
    options: MapOptions & { readonly settle: true },
  ): Promise<PromiseSettledResult<Out<F>>[]>
  map(items: Iterable<Item<F>>, options: MapOptions): Promise<Out<F>[] | PromiseSettledResult<Out<F>>[]>
  /** The job with this id; nothing is sent until it is used. */
  attach(jobId: string): Job<Out<F>>
  /** Starts a worker and runs `setup` there, nothing else. */
  warm(): Promise<void>
}

type Item<F extends AnyFunction> = Parameters<F>[0]
