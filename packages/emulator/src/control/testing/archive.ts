import { gzipSync } from 'node:zlib'

export interface Entry {
  path: string
  content?: string
  /** `0` file, `5` folder, `2` symlink, `1` hard link, … */
  type?: string
  target?: string
  /** What the header says, when that is not the size of the content. */
  size?: number
}

/** An entry as it stands in a tar. */
export function toEntry({ path, content = '', type = '0', target = '', size }: Entry): Buffer {
  const header = Buffer.alloc(512)
  const body = Buffer.from(content)
  header.write(path, 0, 100)
  header.write('0000644\0', 100)
  header.write(`${(size ?? body.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(target, 157, 100)
  header.write('ustar\0', 257, 'latin1')
  header.write('00', 263)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

export function toTar(entries: Entry[]): Buffer {
  return Buffer.concat([...entries.map(toEntry), Buffer.alloc(1024)])
}

export function toArchive(entries: Entry[] = [{ path: 'main.py', content: 'print(1)\n' }]): Buffer {
  return gzipSync(toTar(entries))
}

/** A record in front of an entry, as pax has it. */
export function toPax(fields: Record<string, string>): Entry {
  const records = Object.entries(fields).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    const length = Buffer.byteLength(rest)
    const digits = `${length + `${length}`.length}`.length
    return `${length + digits}${rest}`
  })
  return { path: 'PaxHeader', type: 'x', content: records.join('') }
}
