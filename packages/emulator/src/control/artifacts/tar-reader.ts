import { refused } from '../refuse.ts'
import { type Naming, parseHeader, parsePax, readText, type TarEntry } from './tar-header.ts'

export interface TarReader {
  push(chunk: Buffer): void
  /** Throws when the last entry is not whole. */
  end(): void
}

const BLOCK = 512

/** Records that describe an entry are never longer than that. */
const MAX_RECORD_BYTES = 65_536

const describing: Record<string, (content: Buffer) => Naming> = {
  x: parsePax,
  g: () => ({}),
  L: (content) => ({ path: readText(content) }),
  K: (content) => ({ target: readText(content) }),
}

/**
 * Tells the entries of a tar that comes in pieces: ustar, with names of pax and GNU records. Contents are skipped.
 *
 * - throws `BAD_REQUEST` when it is no tar.
 */
export function createTarReader(see: (entry: TarEntry) => void): TarReader {
  let rest: Buffer = Buffer.alloc(0)
  let record: { bytes: number; parse: (content: Buffer) => Naming } | undefined
  let naming: Naming = {}
  let skip = 0
  let isOver = false

  const readHeader = (block: Buffer) => {
    if (block.every((byte) => byte === 0)) return void (isOver = true)
    if (isOver) throw refused('the archive holds no tar: something follows its end')
    const { letter, ...entry } = parseHeader(block, naming)
    const parse = describing[letter]
    if (parse) return void (record = { bytes: checkRecordSize(entry.size), parse })
    see(entry)
    naming = {}
    skip = padded(entry.size)
  }

  /** Whether there were enough bytes for a step. */
  const step = (): boolean => {
    const passed = Math.min(skip, rest.length)
    skip -= passed
    rest = rest.subarray(passed)
    const wanted = record ? padded(record.bytes) : BLOCK
    if (skip > 0 || rest.length < wanted) return false
    const part = rest.subarray(0, wanted)
    rest = rest.subarray(wanted)
    const described = record
    record = undefined
    if (described) naming = { ...naming, ...described.parse(part.subarray(0, described.bytes)) }
    else readHeader(part)
    return true
  }

  return {
    push(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (let isMoving = true; isMoving; ) isMoving = step()
    },
    end() {
      if (skip > 0 || record || rest.length > 0)
        throw refused('the archive is cut off in the middle of an entry')
    },
  }
}

function checkRecordSize(size: number): number {
  if (size > MAX_RECORD_BYTES) throw refused(`the archive has a record of ${size} bytes about an entry`)
  return size
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}
