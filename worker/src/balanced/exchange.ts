import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, type Clock, RESULT_HEADER } from '@flash/protocol'
import { admit } from './admit.ts'
import { type BodyState, createBodyState } from './body.ts'
import { checkReply } from './check-reply.ts'
import { Ending } from './ending.ts'
import { describeFault } from './fault.ts'
import { type Health, Unavailable } from './health.ts'
import { drop, respond } from './respond.ts'
import type { Timed } from './time-limits.ts'
import { createVisit, type Reply, type Visit } from './visit.ts'

/** What the end of a server waits for. */
export interface Running extends Timed {
  stop(reason: Error): void
}

/** What the requests of one server share. */
export interface ExchangeHost {
  ask(visit: Visit, incoming: IncomingMessage): Reply | Promise<Reply>
  toResponse(error: unknown): Response
  token?(): string
  write?(line: string): void
  limitBytes: number
  health: Health
  clock: Clock
  running: Set<Running>
  /** One of them is due then. */
  watch(dueAt: number): void
  /** Nothing runs any more. */
  idle(): void
}

/** One request and its answer. A class, and one asynchronous function: this is what every request goes through. */
export class Exchange implements Running {
  dueAt = Number.POSITIVE_INFINITY
  #limitMs = 0
  readonly #host: ExchangeHost
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  readonly #body: BodyState
  readonly #ending = new Ending()
  #visit: Visit | undefined
  /** It was answered before anybody had made an answer. */
  #isLate = false
  /** Whoever makes the answer, and the network. */
  #waitsFor = 2

  constructor(host: ExchangeHost, incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#host = host
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#body = createBodyState(incoming)
  }

  /** Never rejects. */
  async run(): Promise<void> {
    this.#host.running.add(this)
    this.#outgoing.on('close', () => this.#close())
    let reply: Reply
    try {
      const made = checkReply(await this.#ask())
      if (this.#body.tooLarge && made.status >= 400) throw this.#body.tooLarge
      reply = made
    } catch (error) {
      reply = this.#refuse(error)
    }
    if (this.#isLate) drop(reply)
    else {
      const sent = this.#send(reply)
      if (sent) await sent
    }
    this.#leave()
  }

  stop(reason: Error): void {
    this.#ending.end(reason)
    this.#outgoing.destroy()
  }

  /** Whoever makes the answer is told, and not waited for. */
  expire(): void {
    this.dueAt = Number.POSITIVE_INFINITY
    const error = new AppError('TIMEOUT', {
      message: `the request took longer than the ${this.#limitMs} ms that it may take`,
      hint: 'raise executionTimeoutMs in the config of the endpoint',
    })
    if (this.#outgoing.headersSent) return this.stop(error)
    this.#isLate = true
    this.#ending.end(error)
    void this.#send(this.#refuse(error))
  }

  #ask(): Reply | Promise<Reply> {
    const { ask, health, token, limitBytes } = this.#host
    const incoming = this.#incoming
    admit(incoming, token?.())
    const visit = createVisit({ incoming, body: this.#body, ending: this.#ending, limitBytes, timed: this })
    this.#visit = visit
    if (health.status() === 200) return ask(visit, incoming)
    return health.enter().then(() => ask(visit, incoming))
  }

  limit(limitMs: number): void {
    const { clock, watch } = this.#host
    this.#limitMs = limitMs
    this.dueAt = clock.now() + limitMs
    watch(this.dueAt)
  }

  #refuse(error: unknown): Response {
    // Whatever a handler makes of a body that broke off, the reason is its size.
    const told = this.#body.tooLarge ?? error
    if (!(told instanceof AppError)) this.#report(told)
    const response = this.#host.toResponse(told)
    if (told instanceof Unavailable) response.headers.delete(RESULT_HEADER)
    // Of what is refused the body was not read, and may be long.
    if (told instanceof AppError) response.headers.set('connection', 'close')
    return response
  }

  /** Never rejects. */
  #send(reply: Reply): Promise<void> | undefined {
    return respond(this.#outgoing, reply)?.catch((error) => {
      this.#report(error)
      // The status is on its way already: only a broken connection tells that the answer is not whole.
      this.#outgoing.destroy()
    })
  }

  #report(error: unknown): void {
    if (this.#visit && !this.#ending.isOver) this.#host.write?.(describeFault(this.#visit, error))
  }

  #close(): void {
    if (!this.#outgoing.writableFinished)
      this.#ending.end(new DOMException('the client is gone', 'AbortError'))
    this.#leave()
  }

  #leave(): void {
    if (--this.#waitsFor > 0) return
    const { running, idle } = this.#host
    running.delete(this)
    if (running.size === 0) idle()
    if (!this.#incoming.readableEnded) this.#body.stop(new Error('the request is answered'))
  }
}
