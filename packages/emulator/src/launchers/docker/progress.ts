import { splitLines } from '../lines.ts'

export interface ProgressEvent {
  id?: string
  status?: string
}

/**
 * Reads what the engine tells while it pulls or imports an image, to the end.
 *
 * - rejects with the engine's own words when it failed: by then it has answered 200 long ago.
 */
export async function readProgress(
  stream: NodeJS.ReadableStream,
  tell: (event: ProgressEvent) => void = () => {},
): Promise<void> {
  let failure: string | null = null
  const splitter = splitLines((line) => {
    const event = parseEvent(line)
    failure ??= event.error ?? null
    tell(event)
  })
  for await (const bytes of stream) splitter.write(bytes as Buffer)
  splitter.end()
  if (failure !== null) throw new Error(failure)
}

function parseEvent(line: string): ProgressEvent & { error?: string } {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}
