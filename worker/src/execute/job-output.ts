import { contextStorage, type FunctionContext } from './context.ts'
import { createLines, type Lines } from './lines.ts'
import { captureOutput, type CaptureOptions, type OutputOwner, type StreamName } from './output.ts'

/** Bytes that may wait in a stream before the lines of jobs wait instead. */
const backlogBytes = 256 * 1024

interface JobOwner extends OutputOwner {
  lines: Lines
}

interface JobStream {
  write(chunk: string | Uint8Array, ...rest: unknown[]): boolean
  readonly writableLength?: number
  on?(event: 'drain', listener: () => void): unknown
  off?(event: 'drain', listener: () => void): unknown
}

/** The output of one job. */
export interface OpenJob {
  /** What is written below this context is the job's. */
  own(context: FunctionContext): void
  write(stream: StreamName, text: string): void
  /** Everything was said. */
  end(): void
}

export interface JobOutput {
  /** - `say`: takes one line of the job; what it writes itself to the streams is nobody's. */
  open(say: (stream: StreamName, line: string) => void): OpenJob
  restore(): void
}

/**
 * Tells the output of jobs that run beside each other apart, line by line: `console`, and everything else that is written
 * to the two streams. What belongs to no job goes its usual way.
 */
export function captureJobs(streams: Record<StreamName, JobStream> = process): JobOutput {
  const owners = new WeakMap<object, JobOwner>()
  const open = new Set<JobOwner>()
  const capture = captureOutput<JobOwner>({
    streams: streams as CaptureOptions<JobOwner>['streams'],
    nobody: 'pass',
    current: () => owners.get(contextStorage().getStore() as FunctionContext) ?? null,
    send: (owner, stream, text) => owner?.lines.push(stream, text),
    room: () => Number.POSITIVE_INFINITY,
  })
  const isFull = () =>
    (streams.stdout.writableLength ?? 0) > backlogBytes || (streams.stderr.writableLength ?? 0) > backlogBytes
  const onDrain = () => {
    for (const { lines } of open) lines.flush()
  }
  for (const stream of Object.values(pick(streams))) stream.on?.('drain', onDrain)
  return {
    open(say) {
      const lines = createLines({
        isFull,
        write: (stream, line) => contextStorage().run(undefined as never, () => say(stream, line)),
      })
      const owner: JobOwner = { ended: false, lines }
      open.add(owner)
      return {
        own: (context) => void owners.set(context, owner),
        write(stream, text) {
          if (!owner.ended) return capture.write(owner, stream, text)
          contextStorage().run(undefined as never, () => void streams[stream].write(text))
        },
        end() {
          capture.end(owner)
          lines.end()
          open.delete(owner)
        },
      }
    },
    restore() {
      for (const stream of Object.values(pick(streams))) stream.off?.('drain', onDrain)
      capture.restore()
    },
  }
}

/** Of the process itself there is more than the two streams. */
function pick({ stdout, stderr }: Record<StreamName, JobStream>): Record<StreamName, JobStream> {
  return { stdout, stderr }
}
