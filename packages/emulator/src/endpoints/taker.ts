import type { Job } from '../queue/index.ts'
import type { Waiter } from '../queue/waiting.ts'
import type { Held } from './hold.ts'
import type { Worker } from './worker.ts'

/** An open take. */
export interface Taker extends Waiter<Taker> {
  worker: Worker
  count: number
  held: Held<Job[]>
}
