import type { JobResult, TakenJob } from '@flash/protocol'
import type { JobRunner } from '../queue/types.ts'

/** A job that ran here, without a platform. */
export interface LocalRun {
  /** What the platform would have been told at the end. */
  result: JobResult
  /** What was streamed before; nothing where the handler is no generator. */
  items: unknown[] | null
}

/** - `say`: takes a line of the job. */
export async function runLocally(
  runner: JobRunner,
  job: TakenJob,
  say: (line: string) => void,
): Promise<LocalRun> {
  const items: unknown[] = []
  const { json, streamed } = await runner.run(job, {
    signal: new AbortController().signal,
    progress: (text) => say(`progress: ${text}`),
    chunk: async (text) => void items.push((JSON.parse(text) as { output: unknown }).output),
    log: (_, line) => say(line),
  })
  return { result: JSON.parse(json) as JobResult, items: streamed ? items : null }
}
