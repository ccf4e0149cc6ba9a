import type { StringDecoder } from 'node:string_decoder'

export type StreamName = 'stdout' | 'stderr'

/** Whoever's output is captured. After `ended` what it still writes belongs to nobody. */
export interface OutputOwner {
  ended: boolean
}

/** The part of `process.stdout` that is replaced. */
interface Writer {
  write(chunk: string | Uint8Array, ...rest: unknown[]): boolean
}

export interface CaptureOptions<O extends OutputOwner> {
  streams: Record<StreamName, Writer>
  /** The owner of what is written now, `null` for nobody. */
  current(): O | null
  /** Where captured text goes. */
  send(owner: O | null, stream: StreamName, text: string): void
  /** Characters that can be sent now; what is more is dropped, and counted. */
  room(): number
  /** What belongs to nobody is captured too (`send`), or left to the stream (`pass`). */
  nobody: 'send' | 'pass'
}

export interface Capture<O extends OutputOwner> {
  /** Writes as if it came from a stream. */
  write(owner: O | null, stream: StreamName, text: string): void
  /** Says what is left to say about this owner's output, and lets it go. */
  end(owner: O): void
  restore(): void
}

interface Pipe {
  decoder: StringDecoder | null
  dropped: number
}

/**
 * Captures `console.*` and everything else written to the two streams, and tells whose it is.
 * Text is passed on as it comes; when nobody takes it fast enough, the rest is dropped, and the next text says how much.
 */
export function captureOutput<O extends OutputOwner>(options: CaptureOptions<O>): Capture<O> {
  const pipes = createPipes<O>()
  const emit = (owner: O | null, stream: StreamName, text: string) => {
    const pipe = pipes.of(owner, stream)
    const notice = pipe.dropped > 0 ? dropNotice(pipe.dropped) : ''
    const room = options.room() - notice.length
    if (room <= 0) {
      pipe.dropped += text.length
      return
    }
    const taken = text.slice(0, room)
    pipe.dropped = text.length - taken.length
    if (notice || taken) options.send(owner, stream, notice + taken)
  }
  const restores = (['stdout', 'stderr'] as const).map((stream) =>
    replaceWrite(options.streams[stream], (chunk, original) => {
      const current = options.current()
      const owner = current?.ended ? null : current
      if (!owner && options.nobody === 'pass') return original()
      emit(owner, stream, pipes.decode(owner, stream, chunk))
      return true
    }),
  )
  return {
    write: (owner, stream, text) => emit(owner?.ended ? null : owner, stream, text),
    end(owner) {
      for (const stream of ['stdout', 'stderr'] as const) {
        emit(owner, stream, pipes.rest(owner, stream))
        const { dropped } = pipes.of(owner, stream)
        if (dropped > 0) options.send(owner, stream, dropNotice(dropped))
      }
      owner.ended = true
    },
    restore() {
      for (const restore of restores) restore()
    },
  }
}

function dropNotice(characters: number): string {
  return `[${characters} characters of output dropped here: written faster than they could be passed on]\n`
}

/** Half a character at the end of a chunk waits for the next chunk of the same owner and stream. */
function createPipes<O extends OutputOwner>() {
  const { StringDecoder: Decoder } = process.getBuiltinModule('node:string_decoder')
  const fresh = (): Record<StreamName, Pipe> => ({
    stdout: { decoder: null, dropped: 0 },
    stderr: { decoder: null, dropped: 0 },
  })
  const ofNobody = fresh()
  const ofOwners = new WeakMap<O, Record<StreamName, Pipe>>()
  const of = (owner: O | null, stream: StreamName): Pipe => {
    if (!owner) return ofNobody[stream]
    const known = ofOwners.get(owner) ?? fresh()
    ofOwners.set(owner, known)
    return known[stream]
  }
  return {
    of,
    decode(owner: O | null, stream: StreamName, chunk: string | Uint8Array): string {
      if (typeof chunk === 'string') return chunk
      const pipe = of(owner, stream)
      pipe.decoder ??= new Decoder('utf8')
      return pipe.decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    },
    rest: (owner: O, stream: StreamName): string => of(owner, stream).decoder?.end() ?? '',
  }
}

function replaceWrite(
  writer: Writer,
  take: (chunk: string | Uint8Array, original: () => boolean) => boolean,
): () => void {
  const own = Object.getOwnPropertyDescriptor(writer, 'write')
  const original = writer.write
  let active = true
  const write: Writer['write'] = (chunk, ...rest) => {
    let passed = false
    const pass = () => {
      passed = true
      return original.call(writer, chunk, ...rest)
    }
    const result = active ? take(toText(chunk, rest[0]), pass) : pass()
    const done = rest.findLast((one) => typeof one === 'function') as (() => void) | undefined
    if (!passed && done) process.nextTick(done)
    return result
  }
  writer.write = write
  return () => {
    active = false
    // Somebody may have put theirs on top since; then this one stays below it and passes everything on.
    if (writer.write !== write) return
    if (own) Object.defineProperty(writer, 'write', own)
    else Reflect.deleteProperty(writer, 'write')
  }
}

/** A string in another encoding than UTF-8 stands for bytes. */
function toText(chunk: string | Uint8Array, encoding: unknown): string | Uint8Array {
  const isBytes = typeof encoding === 'string' && Buffer.isEncoding(encoding) && !/^utf-?8$/i.test(encoding)
  return typeof chunk === 'string' && isBytes ? Buffer.from(chunk, encoding) : chunk
}
