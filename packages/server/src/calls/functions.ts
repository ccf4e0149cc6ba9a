import {
  continueChain,
  createCallable,
  createClass,
  createSteadyClient,
  inheritSignal,
  type Post,
  type ServerStubs,
} from '@flash/runtime/server'
import { createCallForward } from '../forward/calls.ts'
import { createQueueJobs } from '../forward/queue-jobs.ts'
import { postTo } from '../post-to.ts'
import type { CallBackend } from '../rpc.ts'
import { type CalledFunction, findNear, openAway } from './away.ts'

/** Makes the stub of a function of another endpoint, in the bundle of a worker. */
export function serverStub(
  id: string,
  generator: 0 | 1,
  info: CalledFunction,
): ReturnType<ServerStubs['serverStub']> {
  return createCallable({ ...reach(id, info), generator })
}

/** The same for a class; `methods` as in `load,*tokens`, where `*` marks a generator. */
export function serverClass(
  id: string,
  methods: string,
  info: CalledFunction,
): ReturnType<ServerStubs['serverClass']> {
  return createClass(reach(id, info), methods)
}

function reach(id: string, info: CalledFunction) {
  let away: Post | undefined
  const post: Post = (route, body, how) =>
    (findNear(id, info) ?? (away ??= postAway(id, info)))(route, body, how)
  return { ref: id, server: info, post, inherit: inheritSignal }
}

let key: Uint8Array | undefined

function postAway(id: string, info: CalledFunction): Post {
  // Its tokens are good in this process only, which is all that they are for.
  return postTo(() => openBackend(id, info), { key: (key ??= crypto.getRandomValues(new Uint8Array(32))) })
}

function openBackend(id: string, info: CalledFunction): CallBackend {
  const { functions, registry, steady } = openAway(id, info)
  const jobs = createQueueJobs({
    createClient: (address, options) => createSteadyClient(steady, address, options),
  })
  const headerOf = ({ timeoutMs }: { timeoutMs?: number }) => continueChain(info.name, timeoutMs)
  return {
    find: async (wanted) => functions.find(wanted),
    ...createCallForward({ functions, registry, jobs, headerOf }),
  }
}
