/** What is loaded with the first call that is not plain: all members of a stub take the same arguments. */
import { printLog, toResult } from './answer.ts'
import type { Begun } from './call.ts'
import { traced } from './failure.ts'
import { createGenerator, isLast } from './generator.ts'
import { createJob, pickItem } from './job.ts'
import { mapItems } from './map.ts'
import { serverOnly } from './options.ts'
import { FrameType } from '@flash/protocol'
import { Session } from './session.ts'
import type { CallOptions, Job, MapOptions, Target } from './types.ts'

/** A whole call, or one that was begun and met something unusual. */
export async function carryOn(
  target: Target,
  options: CallOptions = {},
  site: Error,
  args: unknown[],
  begun: Begun = {},
): Promise<unknown> {
  const session = new Session(target, options, site)
  await (begun.response || begun.failure ? session.adopt(begun) : session.submit(args))
  return toResult(session, target, !!target.generator)
}

/** A generator's items; the call is sent when the first is asked for. */
export async function stream(
  target: Target,
  options: CallOptions = {},
  site: Error,
  args: unknown[],
): Promise<AsyncGenerator<unknown, void>> {
  return createGenerator({
    open: () => new Session(target, options, site),
    start: (session) => session.submit(args),
    async pick(message, session) {
      if (message.type === FrameType.log) printLog(message, target)
      return pickItem(message, session)
    },
    abandon: (session) => session.stop(),
  })
}

export async function run(
  target: Target,
  options: CallOptions = {},
  site: Error,
  args: unknown[],
): Promise<Job> {
  const session = new Session(target, options, site)
  await session.submit(args, { run: true })
  while (!session.job) await session.next()
  session.leave()
  return createJob(target, options, site, session.job, session.startedAt)
}

export async function attach(
  target: Target,
  options: CallOptions = {},
  site: Error,
  [id]: [string],
): Promise<Job> {
  try {
    return createJob(target, options, site, { token: id })
  } catch (error) {
    throw traced(error, site)
  }
}

export async function map(
  target: Target,
  options: CallOptions = {},
  site: Error,
  [items, how = {}]: [Iterable<unknown>, MapOptions?],
): Promise<unknown[]> {
  return mapItems(items, how, options.signal, (item, signal) =>
    carryOn(target, { ...options, signal }, site, [item]),
  )
}

export async function warm(target: Target, options: CallOptions = {}, site: Error): Promise<void> {
  if (!target.server) throw traced(serverOnly('`.warm()`'), site)
  const session = new Session(target, options, site)
  await session.submit([], { warm: true })
  while (!isLast(await session.next()));
}
