import type { CheckJson, ItemsOf } from '../check.ts'
import type { AnyFunction, Global } from '../kind.ts'
import type { Json } from './json.ts'
import type { PartOf } from './schemas.ts'

/** What goes into the answer as it is: a `Response`, a stream, bytes. */
type Raw =
  | Global<'Response'>
  | Global<'Blob'>
  | { getReader(...args: any): any }
  | { pipe(...args: any): any }
  | ArrayBuffer
  | ArrayBufferView

/** What a handler with these options may return. */
export type ResultUnder<S> = [PartOf<S, 'response'>] extends [never]
  ? any
  : InSomeWay<PartOf<S, 'response'>['sent']> | Raw | PromiseLike<Raw>

type InSomeWay<T> = T | PromiseLike<T> | AsyncGenerator<T, void, any> | Generator<T, void, any>

/** What the caller of a route gets for what its handler returned. */
export type RouteResult<R, S> = ResultOf<Awaited<R>, S>

type ResultOf<T, S> = unknown extends T
  ? Data<T, S>
  : T extends Raw
    ? Response
    : [ItemsOf<T>] extends [never]
      ? Data<T, S>
      : AsyncGenerator<Data<ItemsOf<T>['item'], S>, void>

type Data<T, S> = [PartOf<S, 'response'>] extends [never] ? Json<T> : Json<PartOf<S, 'response'>['made']>

/** `unknown`, or a message about something in the result that JSON has no word for. */
export type CheckHandler<F extends AnyFunction, S> = [PartOf<S, 'response'>] extends [never]
  ? CheckResult<Awaited<ReturnType<F>>>
  : CheckJson<PartOf<S, 'response'>['made'], 'response'>

type CheckResult<T> =
  unknown extends CheckJson<DataIn<T>, 'result'>
    ? CheckJson<ItemIn<T>, 'item'>
    : CheckJson<DataIn<T>, 'result'>

type DataIn<T> = unknown extends T ? never : T extends Raw ? never : [ItemsOf<T>] extends [never] ? T : never

type ItemIn<T> = unknown extends T ? never : T extends Raw ? never : ItemsOf<T>['item']
