/** How a verb of the queue routes is asked; `serverOnly`: what a page may not do, whatever runs in it. */
export interface QueueVerb {
  method: 'GET' | 'POST'
  takesId: boolean
  serverOnly?: true
}

/** The last parts of the addresses of functions. */
export const queueVerbs = {
  run_sync: { method: 'POST', takesId: false },
  runsync: { method: 'POST', takesId: false },
  run: { method: 'POST', takesId: false },
  health: { method: 'GET', takesId: false, serverOnly: true },
  'purge-queue': { method: 'POST', takesId: false, serverOnly: true },
  status: { method: 'GET', takesId: true },
  stream: { method: 'GET', takesId: true },
  cancel: { method: 'POST', takesId: true },
  retry: { method: 'POST', takesId: true, serverOnly: true },
} as const satisfies Record<string, QueueVerb>

export type QueueVerbName = keyof typeof queueVerbs

/** What an address below the prefix asks of which function; `null` when its end is no verb. */
export function splitQueuePath(
  segments: readonly string[],
): { path: string; name: QueueVerbName; id: string } | null {
  const last = segments.at(-1) ?? ''
  const before = segments.at(-2) ?? ''
  if (isVerb(last) && !queueVerbs[last].takesId)
    return { path: segments.slice(0, -1).join('/'), name: last, id: '' }
  if (isVerb(before) && queueVerbs[before].takesId)
    return { path: segments.slice(0, -2).join('/'), name: before, id: last }
  return null
}

function isVerb(name: string): name is QueueVerbName {
  return Object.hasOwn(queueVerbs, name)
}
