import type { LogLine, WorkerLog } from '../../endpoints/types.ts'
import type { AccountContext } from '../store.ts'
import { parseLogRequest, toCursor } from './request.ts'

/** Proxies and clients give up on a stream that is silent for a minute. */
const KEEP_ALIVE_MS = 15_000

/** A reader that is that far behind is let go; it comes back with the id of its last line. */
const MAX_WAITING_BYTES = 4 * 2 ** 20

/**
 * The lines of a log as server-sent events: those of the past that are asked for, then new ones as they come.
 *
 * - `find`: the log, as long as it is kept; without one the stream stays silent.
 * - ends when the reader leaves, the log is forgotten, or the account is closed.
 * - throws `BAD_INPUT` for a query that is wrong.
 */
export function streamLog(
  ctx: AccountContext,
  request: Request,
  find: (() => WorkerLog | undefined) | null,
): Response {
  const { past, isWanted } = parseLogRequest(request)
  const encoder = new TextEncoder()
  const stops: (() => void)[] = []
  const release = () => {
    for (const stop of stops.splice(0)) stop()
  }
  const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const end = () => {
      if (stops.length === 0) return
      release()
      controller.close()
    }
    const send = (text: string) => {
      controller.enqueue(encoder.encode(text))
      if ((controller.desiredSize ?? 0) < 0) end()
    }
    const log = find?.()
    // A first byte makes the headers go out.
    send(': open\n\n')
    for (const line of past(log?.lines() ?? [])) send(toEvent(line))
    stops.push(
      log?.onLine((line) => isWanted(line) && send(toEvent(line))) ?? (() => {}),
      repeat(ctx, () => (find && !find() ? end() : send(': keep-alive\n\n'))),
      onAbort(AbortSignal.any([ctx.closing, request.signal]), end),
    )
  }
  const body = new ReadableStream<Uint8Array>(
    { start, cancel: release },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
  )
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
  })
}

function toEvent(line: LogLine): string {
  const data = { ts: new Date(line.at).toISOString(), source: line.source, line: line.line }
  return `id: ${toCursor(line)}\ndata: ${JSON.stringify(data)}\n\n`
}

function repeat({ clock }: AccountContext, run: () => void): () => void {
  let stop = () => {}
  const next = () => {
    stop = clock.after(KEEP_ALIVE_MS, () => {
      next()
      run()
    })
  }
  next()
  return () => stop()
}

function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) queueMicrotask(run)
  signal.addEventListener('abort', run, { once: true })
  return () => signal.removeEventListener('abort', run)
}
