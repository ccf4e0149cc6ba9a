import type { Waiter } from '../queue/waiting.ts'
import type { Held } from './hold.ts'
import type { Seat } from './types.ts'

/** A request of a balanced endpoint that waits for a worker. */
export interface SeatRequest extends Waiter<SeatRequest> {
  /** The worker that the request insists on. */
  only: string | null
  since: number
  held: Held<Seat>
}
