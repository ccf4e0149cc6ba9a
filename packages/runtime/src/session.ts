import { type Clock, FrameType, type Message, RemoteError } from '@flash/protocol'
import { decodeError, decodeMessage, encodeBody } from './body.ts'
import { type Begun, isOurs } from './call.ts'
import { sendFailure, toRefusal, toRemote, traced } from './failure.ts'
import { createGuard, type Guard } from './guard.ts'
import { createIncoming, type Incoming } from './incoming.ts'
import { checkOptions, toFields } from './options.ts'
import { encodeCall } from './quick-frames.ts'
import type { CallOptions, Target } from './types.ts'
import { wakingClock } from './waking-clock.ts'

/** A running function's limit and its time in the queue, both as endpoints have them by default. */
const lifetimeMs = 1_200_000

const firstPauseMs = 100
const longestPauseMs = 5_000

/** What servers and proxies answer while they start or are overloaded; without our marker it says nothing about the job. */
const passingStatuses = [408, 425, 429, 500, 502, 503, 504]

/** Messages that show that a connection was worth having. */
const gains: readonly number[] = [FrameType.progress, FrameType.item, FrameType.log]

/** So many times a connection is tried again whatever the clocks say: those of page and server may differ. */
const certainAttempts = 3

/** A job that was accepted. */
export interface AcceptedJob {
  /** What resuming and cancelling show. */
  token: string
  /** The plain id, which only servers are told. */
  id?: string
  /** Milliseconds since the epoch: until when a broken connection may be resumed. */
  deadline?: number
}

export interface SessionOptions {
  /** A job that runs already: nothing is submitted. */
  job?: AcceptedJob
  /** Ask where the job stands instead of following it. */
  only?: 'status'
  /** How many items the caller has already; none when omitted. */
  from?: number
  /** When the call was made, by its clock; now when omitted. */
  startedAt?: number
  /** Stopping leaves the job alone. */
  detached?: boolean
}

/** What somebody wants of one job, over as many connections as it takes. */
export class Session {
  job: AcceptedJob | undefined
  readonly startedAt: number
  private readonly target: Target
  private readonly options: CallOptions
  private readonly site: Error
  private readonly how: SessionOptions
  private readonly clock: Clock
  private readonly guard: Guard
  private incoming: Incoming | undefined
  private items: number
  /** Connections in a row that brought nothing. */
  private attempts = 0
  private lastFailure: unknown
  /** The job's own error, which has its stack already. */
  private told: unknown

  constructor(target: Target, options: CallOptions, site: Error, how: SessionOptions = {}) {
    this.target = target
    this.options = options
    this.site = site
    this.how = how
    this.clock = target.clock ?? wakingClock
    this.startedAt = how.startedAt ?? this.clock.now()
    this.job = how.job
    this.items = how.from ?? 0
    try {
      checkOptions(options, target)
      this.guard = createGuard(options, this.clock, () => this.stopped())
    } catch (error) {
      throw traced(error, site)
    }
  }

  /** Sends a call; `flags` say what kind. */
  submit(args: unknown[], flags: { run?: true; warm?: true } = {}): Promise<void> {
    return this.guarded(async () => {
      this.guard.check()
      const body = await this.guard.race(
        encodeBody({ ...this.target.bound, args, ...toFields(this.options), ...flags }).catch((error) => {
          throw toRemote(error)
        }),
      )
      this.guard.check()
      const begun: Begun = {}
      try {
        // A page's server may judge the call by its address, before it reads the body.
        const { ref, server } = this.target
        begun.response = await this.send(flags.run && !server ? `${ref}?run` : ref, body)
      } catch (failure) {
        this.guard.check()
        begun.failure = failure
      }
      await this.take(begun)
    })
  }

  /** Goes on with a call that was begun elsewhere. */
  adopt(begun: Begun): Promise<void> {
    return this.guarded(() => this.take(begun))
  }

  /** The next thing said; `value` or `end` is the last. Throws the job's error, and the reason for stopping. */
  next(): Promise<Message> {
    return this.guarded(async () => {
      for (;;) {
        this.guard.check()
        this.incoming ??= await this.resume()
        const message = await this.incoming.next()
        this.guard.check()
        if (message && (await this.note(message))) return message
        if (message) continue
        this.incoming = undefined
        this.attempts++
      }
    })
  }

  /** What a message carries. */
  read(message: Message): Promise<any> {
    return this.guarded(() => decodeMessage(message))
  }

  /** Ends the call before its time. */
  stop(reason?: unknown): void {
    this.guard.stop(reason)
  }

  /** Stops listening; the job goes on. */
  leave(): void {
    this.guard.end()
    this.incoming?.leave()
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.leave()
      const { signal } = this.options
      // A reason is the caller's own, and may be shared.
      if (error === this.told || (signal?.aborted && error === signal.reason)) throw error
      throw traced(error, this.site)
    }
  }

  private stopped(): void {
    this.incoming?.leave()
    if (this.job && !this.how.detached) cancelJob(this.target, this.job.token).catch(() => {})
  }

  /** Gives up waiting when the call is stopped, also for a server in this process that does not listen to the signal. */
  private async send(route: string, body: Uint8Array<ArrayBuffer> | Blob): Promise<Response> {
    const sent = this.target.post(route, body, { signal: this.guard.signal })
    try {
      return await this.guard.race(sent)
    } catch (error) {
      sent.then((response) => response.body?.cancel()).catch(() => {})
      throw error
    }
  }

  private async take({ response, failure, reader, bytes, job }: Begun): Promise<void> {
    if (!response) throw sendFailure(failure)
    if (!response.ok || !isOurs(response) || !response.body)
      throw await this.guard.race(toRefusal(response, this.clock))
    if (job) this.job = parseJob(job)
    this.lastFailure = failure
    this.incoming = createIncoming(reader ?? response.body.getReader(), bytes)
  }

  /** Keeps what a message tells about the conversation; false when it tells nothing else. */
  private async note(message: Message): Promise<boolean> {
    if (message.type === FrameType.item) this.items++
    if (gains.includes(message.type)) this.attempts = 0
    switch (message.type) {
      case FrameType.ping:
        return false
      case FrameType.job:
        this.job = parseJob(message.text)
        return true
      case FrameType.value:
      case FrameType.end:
        this.complete()
        return true
      case FrameType.error: {
        this.complete()
        const { error, stack } = await decodeError(message)
        throw (this.told = traced(error, this.site, stack))
      }
    }
    return true
  }

  private complete(): void {
    this.guard.end()
    this.incoming?.finish()
    this.incoming = undefined
  }

  private async resume(): Promise<Incoming> {
    if (!this.job) throw sendFailure(this.lastFailure)
    for (;;) {
      await this.pause()
      const response = await this.ask()
      if (response) {
        await this.take({ response })
        return this.incoming!
      }
      this.attempts++
    }
  }

  /** One try to get the rest of the job's messages; `undefined` when another one may do better. */
  private async ask(): Promise<Response | undefined> {
    const { token } = this.job!
    const { only } = this.how
    try {
      const response = await this.send(
        'resume',
        encodeCall(JSON.stringify({ token, from: this.items, only })),
      )
      if (isOurs(response) || !passingStatuses.includes(response.status)) return response
      this.lastFailure = await this.guard.race(toRefusal(response, this.clock))
    } catch (failure) {
      this.guard.check()
      // No address: a dev server that starts again has one soon.
      if (failure instanceof RemoteError && this.attempts > certainAttempts) throw failure
      this.lastFailure = failure
    }
    return undefined
  }

  private async pause(): Promise<void> {
    if (this.attempts === 0) return
    const longestMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.attempts - 1))
    const pauseMs = longestMs * (0.5 + Math.random() / 2)
    const deadline = this.job!.deadline ?? this.startedAt + lifetimeMs
    const isLate = this.how.only || this.clock.now() + pauseMs > deadline
    if (isLate && this.attempts > certainAttempts) {
      throw new RemoteError('TIMEOUT', 'the connection broke and could not be continued in time', {
        hint: 'the job may still run; `.run()` gives jobs that can be attached to later',
        cause: this.lastFailure,
      })
    }
    let withdraw = () => {}
    const pause = new Promise<void>((resolve) => {
      withdraw = this.clock.after(pauseMs, resolve)
    })
    await this.guard.race(pause).finally(withdraw)
  }
}

/** Tells the server that nobody wants a job any more; the page may be closing. */
export async function cancelJob(target: Target, token: string): Promise<void> {
  const body = encodeCall(JSON.stringify({ token }))
  const response = await target.post('cancel', body, { keepalive: true })
  if (!response.ok || !isOurs(response)) throw await toRefusal(response, target.clock ?? wakingClock)
  await response.body?.cancel()
}

function parseJob(text: string): AcceptedJob {
  const job = JSON.parse(text)
  return typeof job === 'string' ? { token: job } : job
}
