import { forbiddenKey, overLimit, parseJson, refuse, scanText } from './json.ts'
import { type DecodeLimits, isForbiddenKey } from './limits.ts'
import { type Direction, isBytesKind } from './tags.ts'

/** A devalue list that is safe to build from, and how many byte parts it refers to. */
export interface Scanned {
  nodes: unknown[] | number
  parts: number
}

interface Scan {
  nodes: unknown[]
  direction: Direction
  limits: DecodeLimits
  /** By node: 0 not visited, 1 in it now or a leaf, more: how many values it stands for written out. */
  weights: Float64Array
  parts: Set<number>
  depth: number
}

/** devalue's stand-ins for values without a node. */
const UNDEFINED = -1
const HOLE = -2
const NEGATIVE_ZERO = -6
const SPARSE = -7

/**
 * Reads rich text without building values from it, in the order and to the depth the builder would.
 * Everything reachable has a known shape, in-range references, allowed keys and tags, and stays within the limits.
 */
export function scanRich(text: string, direction: Direction, limits: DecodeLimits): Scanned {
  // A list of nodes, each a list or an object of references: nothing legitimate is deeper. A value stands in the text as a node and
  // as each reference to it, and the stand-in of a file is a few of both.
  scanText(text, { depth: 2, values: limits.values * 4 }, direction, limits)
  const nodes = parseJson(text, direction)
  if (typeof nodes === 'number') {
    if (!isConstant(nodes)) throw refuse(direction, `${nodes} stands for no value`)
    return { nodes, parts: 0 }
  }
  if (!Array.isArray(nodes) || nodes.length === 0) throw refuse(direction, 'it is not a list of values')
  const scan: Scan = {
    nodes,
    direction,
    limits,
    weights: new Float64Array(nodes.length),
    parts: new Set(),
    depth: 0,
  }
  visit(0, scan)
  const parts = scan.parts.size
  for (let part = 0; part < parts; part++)
    if (!scan.parts.has(part)) throw refuse(direction, `no value uses part ${part}`)
  return { nodes, parts }
}

/** `undefined`, `NaN`, the infinities and `-0`; holes are no values. */
function isConstant(reference: unknown): boolean {
  if (reference === UNDEFINED) return true
  return Number.isInteger(reference) && (reference as number) < HOLE && (reference as number) >= NEGATIVE_ZERO
}

/** Tags with nothing inside; they do not count as a level. */
const leafTags: unknown[] = ['Date', 'URL', 'BigInt', 'Bytes', 'Blob', 'File']

function visit(reference: unknown, scan: Scan): number {
  if (isConstant(reference)) return 1
  const index = indexOf(reference, scan)
  const known = scan.weights[index]!
  if (known > 0) return known
  scan.weights[index] = 1
  const node = scan.nodes[index]
  if (typeof node !== 'object' || node === null) return 1
  const weight = visitAtDepth(node, scan)
  if (weight > scan.limits.expanded) {
    throw overLimit(scan.direction, 'written out there are', weight, scan.limits.expanded, 'values')
  }
  scan.weights[index] = weight
  return weight
}

function visitAtDepth(node: object, scan: Scan): number {
  if (Array.isArray(node) && leafTags.includes(node[0])) return visitNode(node, scan)
  if (++scan.depth > scan.limits.depth) {
    throw overLimit(scan.direction, 'the nesting reaches', scan.depth, scan.limits.depth, 'levels')
  }
  const weight = visitNode(node, scan)
  scan.depth--
  return weight
}

function indexOf(reference: unknown, scan: Scan): number {
  if (Number.isInteger(reference) && (reference as number) >= 0 && (reference as number) < scan.nodes.length)
    return reference as number
  throw refuse(scan.direction, `${show(reference)} refers to no value`)
}

function visitNode(node: object, scan: Scan): number {
  if (!Array.isArray(node)) return visitObject(node as Record<string, unknown>, scan)
  if (typeof node[0] === 'string') return visitTagged(node[0], node, scan)
  if (node[0] === SPARSE) return visitSparse(node, scan)
  if (node.length > scan.limits.arrayLength)
    throw overLimit(scan.direction, 'an array has', node.length, scan.limits.arrayLength, 'items')
  let weight = 1
  for (const reference of node) weight += reference === HOLE ? 1 : visit(reference, scan)
  return weight
}

function visitObject(node: Record<string, unknown>, scan: Scan): number {
  let weight = 1
  for (const key of Object.keys(node)) {
    if (isForbiddenKey(key)) throw forbiddenKey(scan.direction, key)
    weight += visit(node[key], scan)
  }
  return weight
}

/** `[-7, length, index, reference, …]`; the length is only claimed, so it counts as if each item were there. */
function visitSparse(node: unknown[], scan: Scan): number {
  const length = node[1]
  if (!Number.isInteger(length) || (length as number) < 0)
    throw refuse(scan.direction, 'the length of an array is no length')
  const given = length as number
  if (given > scan.limits.arrayLength)
    throw overLimit(scan.direction, 'an array has', given, scan.limits.arrayLength, 'items')
  if (node.length % 2 !== 0) throw refuse(scan.direction, 'an item of an array has no value')
  let weight = 1 + given
  let last = -1
  for (let at = 2; at < node.length; at += 2) {
    const index = node[at] as number
    if (!Number.isInteger(index) || index <= last || index >= given)
      throw refuse(scan.direction, 'the indices of an array are out of order')
    last = index
    weight += visit(node[at + 1], scan) - 1
  }
  return weight
}

function visitTagged(tag: string, node: unknown[], scan: Scan): number {
  const check = Object.hasOwn(tagged, tag) ? tagged[tag]! : undefined
  if (!check || (tag === 'Error' && scan.direction === 'in')) {
    throw refuse(scan.direction, `${show(tag)} is no type that travels`)
  }
  return check(node, scan)
}

const tagged: Record<string, (node: unknown[], scan: Scan) => number> = {
  Date: (node, scan) => checkLiteral('Date', node, /^.{0,40}$/, scan),
  URL: (node, scan) => checkLiteral('URL', node, /^./, scan),
  BigInt(node, scan) {
    const digits = typeof node[1] === 'string' ? node[1].length : 0
    // One more for the sign.
    if (digits > scan.limits.bigintDigits + 1)
      throw overLimit(scan.direction, 'a bigint has', digits, scan.limits.bigintDigits, 'digits')
    return checkLiteral('BigInt', node, /^-?\d+$/, scan)
  },
  Set: (node, scan) => visitCollection(node, 1, scan),
  Map: (node, scan) => visitCollection(node, 2, scan),
  Bytes(node, scan) {
    const [kind, part] = payloadOf('Bytes', node, 2, scan)
    if (!isBytesKind(kind)) throw refuse(scan.direction, `${show(kind)} is no kind of bytes in this runtime`)
    return claimPart(part, scan)
  },
  Blob(node, scan) {
    const [type, part] = payloadOf('Blob', node, 2, scan)
    if (typeof type !== 'string') throw malformed('Blob', scan)
    return claimPart(part, scan)
  },
  File(node, scan) {
    const [name, type, lastModified, part] = payloadOf('File', node, 4, scan)
    if (typeof name !== 'string' || typeof type !== 'string' || typeof lastModified !== 'number')
      throw malformed('File', scan)
    return claimPart(part, scan)
  },
  FormData: visitForm,
  Error(node, scan) {
    const wire = scan.nodes[indexOf(node[1], scan)]
    if (node.length !== 2 || typeof wire !== 'object' || wire === null || Array.isArray(wire))
      throw malformed('Error', scan)
    return 1 + visit(node[1], scan)
  },
}

function checkLiteral(tag: string, node: unknown[], pattern: RegExp, scan: Scan): number {
  if (node.length !== 2 || typeof node[1] !== 'string' || !pattern.test(node[1])) throw malformed(tag, scan)
  return 1
}

function visitCollection(node: unknown[], step: number, scan: Scan): number {
  const size = (node.length - 1) / step
  if (!Number.isInteger(size)) throw malformed('Map', scan)
  checkSize(size, scan)
  let weight = 1
  for (let at = 1; at < node.length; at++) weight += visit(node[at], scan)
  return weight
}

function visitForm(node: unknown[], scan: Scan): number {
  const entries = nodeList('FormData', node, scan)
  if (entries.length % 2 !== 0) throw malformed('FormData', scan)
  checkSize(entries.length / 2, scan)
  let weight = 1
  entries.forEach((reference, position) => {
    const entry = scan.nodes[indexOf(reference, scan)]
    const isFile = position % 2 === 1 && Array.isArray(entry) && entry[0] === 'File'
    if (typeof entry !== 'string' && !isFile) throw malformed('FormData', scan)
    weight += visit(reference, scan)
  })
  return weight
}

function checkSize(size: number, scan: Scan): void {
  if (size > scan.limits.collectionSize)
    throw overLimit(scan.direction, 'a collection has', size, scan.limits.collectionSize, 'entries')
}

/** The list node behind `["Tag", reference]`. */
function nodeList(tag: string, node: unknown[], scan: Scan): unknown[] {
  const list = node.length === 2 ? scan.nodes[indexOf(node[1], scan)] : undefined
  // Text first would be another tagged node, a sparse array's mark a claim of length.
  if (!Array.isArray(list) || typeof list[0] === 'string' || list[0] === SPARSE) throw malformed(tag, scan)
  return list
}

/** The scalars in the list behind `["Tag", reference]`. */
function payloadOf(tag: string, node: unknown[], length: number, scan: Scan): unknown[] {
  const list = nodeList(tag, node, scan)
  if (list.length !== length) throw malformed(tag, scan)
  return list.map((reference) => scan.nodes[indexOf(reference, scan)])
}

/** Each part belongs to one value: two would share memory. */
function claimPart(part: unknown, scan: Scan): number {
  if (!Number.isInteger(part) || scan.parts.has(part as number))
    throw refuse(scan.direction, 'a part is used twice, or is none')
  if (scan.parts.size === scan.limits.parts)
    throw refuse(scan.direction, `there are more than ${scan.limits.parts} parts`)
  scan.parts.add(part as number)
  return 1
}

function show(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 40)
}

function malformed(tag: string, scan: Scan) {
  return refuse(scan.direction, `a ${tag} is not written as one`)
}
