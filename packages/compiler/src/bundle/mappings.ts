const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digits = new Map([...alphabet].map((letter, value) => [letter, value]))

/** Where a piece of generated code begins, and where it comes from; lines and columns from 0. */
export interface Segment {
  column: number
  source: number
  line: number
  sourceColumn: number
}

/** The segments of each generated line; those that come from nowhere are left out. */
export function decodeMappings(mappings: string): Segment[][] {
  const state = [0, 0, 0, 0, 0]
  return mappings.split(';').map((line) => {
    state[0] = 0
    return line.split(',').flatMap((text) => {
      const fields = decode(text)
      for (const [index, value] of fields.entries()) state[index]! += value
      const [column, source, sourceLine, sourceColumn] = state as [number, number, number, number]
      return fields.length < 4 ? [] : [{ column, source, line: sourceLine, sourceColumn }]
    })
  })
}

/** Base 64 numbers of variable length, the sign in the lowest bit. */
function decode(text: string): number[] {
  const values: number[] = []
  let value = 0
  let shift = 0
  for (const letter of text) {
    const digit = digits.get(letter)!
    value |= (digit & 31) << shift
    shift += 5
    if (digit & 32) continue
    values.push(value & 1 ? -(value >>> 1) : value >>> 1)
    value = 0
    shift = 0
  }
  return values
}
