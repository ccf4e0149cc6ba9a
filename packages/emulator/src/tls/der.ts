/** Values as X.509 writes them: a tag, a length, the content. */
export function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, ...parts)
}

export function set(...parts: Buffer[]): Buffer {
  return tagged(0x31, ...parts)
}

/** A value with a number of its own, such as the extensions of a certificate. */
export function numbered(number: number, ...parts: Buffer[]): Buffer {
  return tagged(0xa0 | number, ...parts)
}

export function integer(bytes: Buffer): Buffer {
  // A first bit that is set would make it negative.
  return tagged(0x02, bytes[0]! & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

export function flag(value: boolean): Buffer {
  return tagged(0x01, Buffer.of(value ? 0xff : 0))
}

export function bits(bytes: Buffer, unused = 0): Buffer {
  return tagged(0x03, Buffer.of(unused), bytes)
}

export function octets(bytes: Buffer): Buffer {
  return tagged(0x04, bytes)
}

export function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text))
}

export function time(milliseconds: number): Buffer {
  const text = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  // Years before 2050 are written with two digits.
  return tagged(0x17, Buffer.from(text.slice(2)))
}

/** `1.2.840.10045.4.3.2` */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f))
  return digits
}

/** With any tag. */
export function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff)
}
