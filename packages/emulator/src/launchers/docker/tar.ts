import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** What an archive gets: text, a file of this machine, or a folder. All times are zero and all owners root. */
export type TarEntry = { path: string; mode: number } & (
  | { text: string }
  | { file: string }
  | { folder: true }
)

const BLOCK_BYTES = 512

/** A tar archive in ustar format, piece by piece; paths have up to 100 bytes. */
export async function* writeTar(entries: TarEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    if ('folder' in entry) yield toHeader(entry, 0)
    else if ('text' in entry) {
      const bytes = Buffer.from(entry.text)
      yield toHeader(entry, bytes.length)
      yield bytes
      yield padding(bytes.length)
    } else {
      const { size } = await stat(entry.file)
      yield toHeader(entry, size)
      if (size > 0) yield* createReadStream(entry.file, { end: size - 1, highWaterMark: 1 << 20 })
      yield padding(size)
    }
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
}

function padding(bytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

function toHeader(entry: TarEntry, bytes: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, at: number, digits: number) =>
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at)
  header.write(entry.path.replace(/^\//, ''), 0, 100)
  octal(entry.mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(bytes, 124, 11)
  octal(0, 136, 11)
  header.write('        ', 148)
  header.write('folder' in entry ? '5' : '0', 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
