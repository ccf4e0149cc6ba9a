import { AppError } from './error.ts'

export const FrameType = {
  job: 1,
  status: 2,
  progress: 3,
  item: 4,
  log: 5,
  ping: 6,
  value: 7,
  error: 8,
  end: 9,
  /** Status and headers of an answer: `{"status":200,"headers":[["content-type","text/plain"]]}`. */
  head: 10,
  /** A piece of the body of an answer, in its one part. */
  chunk: 11,
  call: 16,
  channel: 17,
  bytes: 32,
} as const

/** Set in a frame's type when its text is devalue instead of plain JSON. */
export const RICH = 64

/** One text frame and the byte frames behind it. */
export interface Message {
  type: number
  rich: boolean
  text: string
  parts: Uint8Array[]
}

/** A message whose parts may still be blobs: a browser sends those without reading them. */
export interface OutgoingMessage<P extends Uint8Array | Blob = Uint8Array> {
  type: number
  rich: boolean
  text: string
  parts: P[]
}

export interface FrameLimits {
  /** Text and parts of one message together; 64 MiB when omitted. */
  bytes?: number
  /** Parts of one message; 65,536 when omitted. */
  parts?: number
  /** Frames of the whole stream; no limit when omitted. */
  frames?: number
}

export interface MessageReader {
  /** Takes the next bytes; the array must not change afterwards. */
  push(chunk: Uint8Array): void
  /** Says that nothing follows; a message cut short is `BAD_FRAMES`. */
  end(): void
}

/** Type (1 byte), id (4), length (4), big endian. */
const HEADER_BYTES = 9

/**
 * The frames of one message as a list of chunks, none of them empty. Parts are passed on uncopied.
 * The id of a text frame is the number of byte frames behind it, that of a byte frame its index.
 */
export function encodeMessageChunks<P extends Uint8Array | Blob = Uint8Array>(
  message: OutgoingMessage<P>,
): (Uint8Array<ArrayBuffer> | P)[] {
  const text = new TextEncoder().encode(message.text)
  const type = message.type | (message.rich ? RICH : 0)
  const head = frameHead(type, message.parts.length, text.length, text.length)
  head.set(text, HEADER_BYTES)
  const chunks: (Uint8Array<ArrayBuffer> | P)[] = [head]
  message.parts.forEach((part, index) => {
    const size = part instanceof Uint8Array ? part.byteLength : part.size
    chunks.push(frameHead(FrameType.bytes, index, size, 0))
    if (size > 0) chunks.push(part)
  })
  return chunks
}

/** The frames of one message in one array. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  return join(encodeMessageChunks(message))
}

function frameHead(type: number, id: number, length: number, room: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(HEADER_BYTES + room)
  const view = new DataView(head.buffer)
  view.setUint8(0, type)
  view.setUint32(1, id)
  view.setUint32(5, length)
  return head
}

function join(chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/**
 * Turns bytes, as they come, into messages.
 *
 * - memory grows with received bytes, never from a declared length; each part has a buffer of its own.
 * - `onText`: told of each message as soon as its text is here, before its parts are.
 * - throws `BAD_FRAMES` and `PAYLOAD_TOO_LARGE`; after that each `push` and `end` throws the same again.
 */
export function createMessageReader(
  onMessage: (message: Message) => void,
  limits: FrameLimits = {},
  onText?: (message: Message, partCount: number) => void,
): MessageReader {
  const pile = createPile()
  const frames = createFrameCheck(limits)
  let failure: unknown
  let message: Message | undefined
  let head: FrameHead | undefined
  let partCount = 0

  const take = (bytes: Uint8Array<ArrayBuffer>) => {
    if (!head) {
      head = frames(bytes, message?.parts.length, partCount)
      pile.want(head.length)
      return
    }
    if (message) message.parts.push(bytes)
    else {
      message = { type: head.type & ~RICH, rich: head.type >= RICH, text: decodeText(bytes), parts: [] }
      partCount = head.id
      onText?.(message, partCount)
    }
    head = undefined
    pile.want(HEADER_BYTES)
    if (message.parts.length < partCount) return
    const complete = message
    message = undefined
    onMessage(complete)
  }
  const guarded = (run: () => void) => {
    if (failure) throw failure
    try {
      run()
    } catch (error) {
      failure = error
      throw error
    }
  }
  pile.want(HEADER_BYTES)
  return {
    push: (chunk) => guarded(() => pile.add(chunk, take)),
    end: () =>
      guarded(() => {
        if (message || head || pile.size() > 0) throw badFrames('they end in the middle of a message')
      }),
  }
}

interface FrameHead {
  type: number
  id: number
  length: number
}

function isTextType(type: number): boolean {
  return type !== FrameType.bytes && (Object.values(FrameType) as number[]).includes(type)
}

/** Reads frame heads in turn and refuses what does not belong where it stands, or is too much. */
function createFrameCheck({ bytes = 67_108_864, parts = 65_536, frames = Infinity }: FrameLimits) {
  let count = 0
  let total = 0
  return (head: Uint8Array, part: number | undefined, partCount: number): FrameHead => {
    const view = new DataView(head.buffer, head.byteOffset)
    const [type, id, length] = [view.getUint8(0), view.getUint32(1), view.getUint32(5)]
    if (part === undefined) {
      if (!isTextType(type & ~RICH)) throw badFrames(`${type} is no frame type that may stand here`)
      total = 0
      if (id > parts) throw tooLarge(`a message has ${id} parts`, `${parts} parts`)
    } else if (type !== FrameType.bytes || id !== part) {
      throw badFrames(`part ${part} of ${partCount} is missing`)
    }
    if (++count > frames) throw tooLarge('there are more frames than allowed', `${frames} frames`)
    total += length
    if (total > bytes) throw tooLarge(`a message has ${total} bytes or more`, `${bytes} bytes`)
    return { type, id, length }
  }
}

const SMALL_BYTES = 1024
const TAIL_BYTES = 4096

/**
 * Collects received pieces until the wanted number of bytes is there. Large pieces are kept as they came and
 * copied once; small ones share a buffer, so that bytes arriving one by one do not cost an object each.
 */
function createPile() {
  let wanted = 0
  let have = 0
  let pieces: Uint8Array[] = []
  let room = 0
  const keep = (piece: Uint8Array) => {
    have += piece.length
    if (piece.length >= SMALL_BYTES || piece.length === wanted) {
      room = 0
      pieces.push(piece)
      return
    }
    if (piece.length > room) {
      pieces.push(new Uint8Array(new ArrayBuffer(TAIL_BYTES), 0, 0))
      room = TAIL_BYTES
    }
    const last = pieces[pieces.length - 1]!
    const grown = new Uint8Array(last.buffer, 0, last.length + piece.length)
    grown.set(piece, last.length)
    pieces[pieces.length - 1] = grown
    room -= piece.length
  }
  const takeAll = () => {
    const whole = join(pieces)
    pieces = []
    have = room = 0
    return whole
  }
  return {
    want(bytes: number) {
      wanted = bytes
    },
    size: () => have,
    add(chunk: Uint8Array, take: (bytes: Uint8Array<ArrayBuffer>) => void) {
      let at = 0
      // What follows a head may be nothing at all, which no byte announces.
      for (let more = true; more; more = at < chunk.length || wanted === 0) {
        const piece = chunk.subarray(at, at + wanted - have)
        at += piece.length
        if (piece.length > 0) keep(piece)
        if (have < wanted) return
        take(takeAll())
      }
    },
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw badFrames('a text is not UTF-8', cause)
  }
}

function badFrames(what: string, cause?: unknown): AppError {
  return new AppError('BAD_FRAMES', { message: `the bytes are no frames: ${what}`, cause })
}

function tooLarge(what: string, limit: string): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', { message: `${what}, the limit is ${limit}` })
}
