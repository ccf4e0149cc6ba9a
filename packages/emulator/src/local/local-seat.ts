import type { AppError } from '@flash/protocol'
import type { Seat } from '../endpoints/types.ts'

/** A worker's HTTP server for one request. */
export interface LocalSeat extends Seat {
  headers: Record<string, string>
  /** The most that the request may take, its answer included. */
  limitMs: number
  /** Its time is over: ends a worker that is stuck, which hears of no abort. Returns what the caller is told. */
  expire(limitMs: number): AppError
  /** How the worker ended, `null` when it does not end within two seconds. For a request whose connection broke. */
  lost(): Promise<Error | null>
}
