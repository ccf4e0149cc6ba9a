import { AppError, errorCodes, type ErrorCode, FrameType, type Message, toWireError } from '@flash/protocol'
import {
  type Chain,
  createFrameSend,
  createJob,
  fromChainHeaders,
  type OpenServer,
  type Post,
  Session,
  toChainHeaders,
} from '@flash/runtime/server'
import type { BackendSeat, RpcBackend, RpcJob } from '../backend.ts'
import type { CallEnvelope } from '../envelope.ts'
import { isLast, textMessage } from '../messages.ts'
import { noWebSockets } from '../upgrade.ts'

/** Of a job whose submission this process did not see: a running function's limit and its time in the queue by default. */
const lifetimeMs = 1_200_000

/**
 * A server that speaks the browser wire itself, such as a dev server, as a backend. It knows servers' jobs by their bare ids.
 *
 * - `openServer`: where it listens, for WebSockets.
 */
export function createRelay(post: Post, endpoint: string, openServer?: OpenServer): Omit<RpcBackend, 'find'> {
  const targetOf = (id: string, { new: construct, fn, hops, deadline }: Partial<CallEnvelope> = {}) => ({
    ref: id,
    server: { name: endpoint, at: '' },
    post: withChain(post, { hops, deadline }),
    bound: fn === undefined ? undefined : { new: construct ?? [], fn },
  })
  const open = (jobId: string, deadline = Date.now() + lifetimeMs) =>
    toRpcJob(targetOf(''), endpoint, jobId, deadline)
  return {
    submit: (id, call) =>
      known(async () => {
        const session = new Session(targetOf(id, call), toOptions(call), new Error())
        // Whoever reads the job here decides when it is not wanted any more.
        await session.submit(call.args, { run: true })
        while (!session.job) await session.next()
        session.leave()
        const { token, id: jobId = token, deadline } = session.job
        return open(jobId, deadline)
      }),
    warm: (id) =>
      known(async () => {
        const session = new Session(targetOf(id), {}, new Error())
        await session.submit([], { warm: true })
        while (!isLast(await session.next()));
      }),
    fetch: (id, request) =>
      known(() => {
        const chained = withChain(post, fromChainHeaders(request.headers))
        return createFrameSend({ ref: id, post: chained })(request)
      }),
    seat: (id) => openSeat(id, openServer),
    job: (_endpoint, jobId) => open(jobId),
    async jobById(jobId) {
      const job = open(jobId)
      try {
        await job.status()
        return job
      } catch (error) {
        if ((error as AppError).code === 'JOB_NOT_FOUND') return null
        throw error
      }
    },
  }
}

/** What is left of a call for the other server's stub. */
function toOptions(call: CallEnvelope): object {
  const {
    args: _args,
    new: _new,
    fn: _fn,
    run: _run,
    warm: _warm,
    timeoutMs: _timeout,
    scope: _scope,
    hops: _hops,
    deadline: _deadline,
    ...options
  } = call
  return options
}

/** What led to a call stands beside it, as the other server reads it. */
function withChain(post: Post, chain: Chain): Post {
  return (route, body, how) => post(route, body, { ...how, headers: toChainHeaders(chain) })
}

async function openSeat(id: string, openServer: OpenServer | undefined): Promise<BackendSeat> {
  const server = await openServer?.()
  if (!server) throw noWebSockets()
  const url = `${server.url.replace(/\/+$/, '')}/rpc/${id}`
  return { url, isRelay: true, headers: { authorization: `Bearer ${server.token}` }, release() {} }
}

type RelayTarget = ConstructorParameters<typeof Session>[0]

function toRpcJob(target: RelayTarget, endpoint: string, id: string, deadline: number): RpcJob {
  const handle = () => createJob(target, {}, new Error(), { token: id })
  return {
    id,
    endpoint,
    deadline,
    listen(from, say) {
      const job = { token: id, deadline }
      const session = new Session(target, {}, new Error(), { job, from, detached: true })
      let isHeard = true
      void pass(session, (message) => {
        if (isHeard) say(message)
      })
      return () => {
        isHeard = false
        session.stop()
      }
    },
    status: () => known(() => handle().status()),
    cancel: () => known(() => handle().cancel()),
  }
}

/** Passes everything on as it comes; an error that the session has read is written again. */
async function pass(session: Session, say: (message: Message) => void): Promise<void> {
  try {
    let message: Message
    do say((message = await session.next()))
    while (!isLast(message))
  } catch (error) {
    say(textMessage(FrameType.error, toWireError(error, { stack: true })))
  }
}

/** What the other server refuses is refused here with the same code. */
async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message, hint, data } = error as AppError
    if (!Object.hasOwn(errorCodes, code ?? '')) throw error
    throw new AppError(code as ErrorCode, { message, hint, data, cause: error })
  }
}
