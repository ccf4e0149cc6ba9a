import { refused } from '../refuse.ts'

export interface TarEntry {
  path: string
  type: 'file' | 'folder' | 'symlink' | 'hardlink' | 'other'
  /** Of a link. */
  target: string
  /** Bytes of content that follow. */
  size: number
}

/** What a record in front of an entry says about it, instead of its header. */
export type Naming = Partial<Pick<TarEntry, 'path' | 'target' | 'size'>>

const types: Record<string, TarEntry['type']> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'folder',
}

/**
 * A block of 512 bytes as the header of an entry, with the letter of its type.
 *
 * - throws `BAD_REQUEST` when it is none.
 */
export function parseHeader(block: Buffer, naming: Naming): TarEntry & { letter: string } {
  if (!hasRightSum(block)) throw refused('the archive holds no tar: a header is damaged')
  const letter = String.fromCharCode(block[156]!)
  const type = types[letter] ?? 'other'
  const isEmpty = type === 'folder' || type === 'symlink' || type === 'hardlink'
  // A record in front of an entry has a size of its own, whatever was said before about the entry.
  const own = readNumber(block.subarray(124, 136))
  const size = 'xgLK'.includes(letter) ? own : (naming.size ?? own)
  return {
    letter,
    type,
    path: naming.path ?? readPath(block),
    target: naming.target ?? readText(block.subarray(157, 257)),
    size: isEmpty ? 0 : size,
  }
}

export function readText(field: Buffer): string {
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? undefined : end).toString('utf8')
}

/**
 * `27 path=folder/file.txt\n`, each with its own length in front.
 *
 * - throws `BAD_REQUEST` for a record that is damaged.
 */
export function parsePax(content: Buffer): Naming {
  const found: Naming = {}
  for (let at = 0; at < content.length; ) {
    const [, digits] = /^(\d{1,9}) /.exec(content.subarray(at, at + 12).toString('latin1')) ?? []
    const length = Number(digits)
    if (!digits || length <= digits.length + 2 || at + length > content.length)
      throw refused('the archive has a pax record that is damaged')
    const record = content.subarray(at + digits.length + 1, at + length - 1).toString('utf8')
    const [key, value] = [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)]
    if (key === 'path') found.path = value
    if (key === 'linkpath') found.target = value
    if (key === 'size') found.size = parseSize(value)
    at += length
  }
  return found
}

/** The sum of all bytes, with its own field read as blanks. */
function hasRightSum(block: Buffer): boolean {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  return sum === readNumber(block.subarray(148, 156))
}

/** Octal text, or with the highest bit set, the number itself. */
function readNumber(field: Buffer): number {
  if (field[0]! & 0x80) return Number(BigInt(`0x${field.toString('hex')}`) & 0x7fffffffffffn)
  const text = readText(field).trim()
  if (!/^[0-7]*$/.test(text)) throw refused('the archive holds no tar: a header has a number that is none')
  return text === '' ? 0 : Number.parseInt(text, 8)
}

function readPath(block: Buffer): string {
  const name = readText(block.subarray(0, 100))
  const isUstar = block.subarray(257, 263).toString('latin1') === 'ustar\0'
  const prefix = isUstar ? readText(block.subarray(345, 500)) : ''
  return prefix ? `${prefix}/${name}` : name
}

function parseSize(value: string): number {
  const size = Number(value)
  if (!Number.isSafeInteger(size) || size < 0) throw refused('the archive has a pax record with a wrong size')
  return size
}
