import { inspect } from 'node:util'
import type { TakenJob } from '@flash/protocol'
import type { Answer } from './client.ts'

/** What an answer of the queue brings. */
export interface TakenJobs {
  jobs: TakenJob[]
  /** Jobs without an input: there is an id to say so to. */
  empty: string[]
  /** What else was in it, for the log; the first few. */
  problems: string[]
}

/** An id is a part of addresses, where the longest one must have room. */
const longestId = 1_000

/** Of one answer: more of them would only fill the log. */
const problemsLimit = 10

/** Reads the answer to a take, one job or many; never throws. */
export function parseJobs({ type, text }: Answer): TakenJobs {
  const taken: TakenJobs = { jobs: [], empty: [], problems: [] }
  if (type !== 'application/json') {
    taken.problems.push(`the answer to a take is ${type || 'of no type'} instead of application/json`)
    return taken
  }
  // As good as no job, and some servers say it so.
  if (text === '') return taken
  const found = parseText(text)
  if (found === undefined) taken.problems.push(`the answer to a take is no JSON: ${excerpt(text)}`)
  else for (const one of Array.isArray(found) ? found : [found]) sort(one, taken)
  return taken
}

function sort(one: unknown, taken: TakenJobs): void {
  const id = typeof one === 'object' && one !== null ? (one as { id?: unknown }).id : undefined
  if (!isJobId(id))
    complain(taken, `a job was dropped whose id cannot be used: ${excerpt(inspect(id, { depth: 0 }))}`)
  else if (Object.hasOwn(one as object, 'input')) taken.jobs.push(one as TakenJob)
  else taken.empty.push(id)
}

function complain({ problems }: TakenJobs, problem: string): void {
  if (problems.length < problemsLimit) problems.push(problem)
}

/** Whether an id has a place in an address: half of a character has none, nor what stands for a folder. */
export function isJobId(id: unknown): id is string {
  if (typeof id !== 'string' || id.length > longestId || /^\.{0,2}$/.test(id)) return false
  try {
    return encodeURIComponent(id) !== ''
  } catch {
    return false
  }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function excerpt(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
