import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, type Clock, DEADLINE_HEADER, RESULT_HEADER } from '@flash/protocol'
import { admit } from './admit.ts'
import { type BodyState, createBodyState } from './body.ts'
import { checkReply } from './check-reply.ts'
import { Ending } from './ending.ts'
import { describeFault } from './fault.ts'
import { type Health, Unavailable } from './health.ts'
import { whenGone } from './queued.ts'
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
  deadline: number | null = null
  #limitMs = 0
  /** Where the endpoint's own limit ends; the caller's may end earlier. */
  #limitAt = 0
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
  #isClosed = false
  /** Takes back what was asked of the connection. */
  #forget: (() => void) | undefined

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
    if (this.#outgoing.socket === null) this.#forget = whenGone(this.#incoming.socket, () => this.#break())
    let reply: Reply
    try {
      const made = checkReply(await this.#ask())
      if (this.#body.tooLarge && made.status >= 400) throw this.#body.tooLarge
      reply = made
    } catch (error) {
      reply = this.#refuse(error)
    }
    if (this.#isLate) return drop(reply)
    const sent = this.#send(reply)
    if (sent) await sent
    this.#leave()
  }

  stop(reason: Error): void {
    this.#ending.end(reason)
    this.#break()
  }

  /** Whoever makes the answer is told, and not waited for. */
  expire(): void {
    const ofCaller = this.dueAt < this.#limitAt
    const { headersSent } = this.#outgoing
    if (ofCaller && headersSent && this.#limitAt > this.#host.clock.now()) {
      // A caller's time is until the answer begins.
      this.dueAt = this.deadline = this.#limitAt
      return
    }
    this.dueAt = Number.POSITIVE_INFINITY
    const error = ofCaller ? toCallerTimeout() : toTimeout(this.#limitMs)
    if (headersSent) return this.stop(error)
    this.#isLate = true
    this.#ending.end(error)
    void this.#send(this.#refuse(error))
    this.#leave()
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
    this.#limitAt = clock.now() + limitMs
    this.dueAt = this.deadline = Math.min(this.#limitAt, readDeadline(this.#incoming))
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
      this.#break()
    })
  }

  #report(error: unknown): void {
    if (this.#visit && !this.#ending.isOver) this.#host.write?.(describeFault(this.#visit, error))
  }

  #break(): void {
    this.#outgoing.destroy()
    // Behind another answer it has no connection yet, and nobody would hear of it.
    if (!this.#outgoing.socket) this.#outgoing.emit('close')
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#forget?.()
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

/** Milliseconds since the epoch; what a sender that is none of ours writes there is nothing. */
function readDeadline({ headers }: IncomingMessage): number {
  const text = headers[DEADLINE_HEADER]
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
}

function toTimeout(limitMs: number): AppError {
  return new AppError('TIMEOUT', {
    message: `the request took longer than the ${limitMs} ms that it may take`,
    hint: 'raise executionTimeoutMs in the config of the endpoint',
  })
}

function toCallerTimeout(): AppError {
  return new AppError('TIMEOUT', {
    message: 'the request was not answered before the deadline of its caller',
    hint: 'raise timeoutMs of the call, or the limit of the function that makes it',
  })
}
