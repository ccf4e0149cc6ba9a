import { findLayout, loadLayoutModel, type Band, type Layout } from './layout.ts'
import { fromPage, type Page, type Point } from './picture.ts'

export interface Line {
  text: string
  /** 0 to 1, the model's own estimate. */
  confidence: number
  /** Corners clockwise from the top left, in picture pixels. */
  box: [Point, Point, Point, Point]
}

export interface Reader {
  /** Where the text is and where to cut, from one look at the whole page. */
  layout(page: Page): Promise<Layout>
  /** The lines of one band, top to bottom. */
  read(layout: Layout, band: Band): Promise<Line[]>
}

/** What the library makes; its own declaration says `any`. */
interface Detector {
  detect(picture: Buffer): Promise<{ text: string; mean: number; box?: number[][] }[]>
}

const readableLineHeight = 24
const leastConfidence = 0.6

/** Loads the models that the packages carry, in about half a second. */
export async function loadReader(): Promise<Reader> {
  const { default: Ocr } = await import('@gutenye/ocr-node')
  const detector: Detector = await Ocr.create()
  const layoutModel = await loadLayoutModel()
  return {
    layout: (page) => findLayout(layoutModel, page),
    read: (layout, band) => readBand(detector, layout, band),
  }
}

async function readBand(detector: Detector, layout: Layout, band: Band): Promise<Line[]> {
  // Where no gap was free of text the cut goes through a line: each band is read with a margin, and keeps the lines
  // whose middle is its own.
  const top = Math.max(0, band.top - layout.lineHeight)
  const bottom = Math.min(layout.sheet.height, band.bottom + layout.lineHeight)
  const region = { left: layout.left, top, width: layout.right - layout.left, height: bottom - top }
  const scale = Math.min(2, readableLineHeight / layout.lineHeight)
  const found = await detector.detect(await cut(layout.sheet, region, scale))
  return found.flatMap(({ text, mean, box = [] }) => {
    const corners = box.map(([x = 0, y = 0]): Point => [x / scale + region.left, y / scale + region.top])
    const middle = corners.reduce((sum, [, y]) => sum + y, 0) / corners.length
    const line = {
      // The model writes some Latin punctuation in its wide form.
      text: text.normalize('NFKC').trim(),
      confidence: mean,
      box: corners.map((corner) => layout.sheet.toPage(corner).map(Math.round)) as Line['box'],
    }
    return line.text && mean >= leastConfidence && middle >= band.top && middle < band.bottom ? [line] : []
  })
}

interface Region {
  left: number
  top: number
  width: number
  height: number
}

async function cut(page: Page, region: Region, scale: number): Promise<Buffer> {
  const width = Math.max(1, Math.round(region.width * scale))
  const height = Math.max(1, Math.round(region.height * scale))
  // The detector stretches what is no multiple of 32, which would move the boxes.
  const fill = (side: number) => Math.ceil(side / 32) * 32 - side
  return fromPage(page)
    .extract(region)
    .resize({ width, height, fit: 'fill' })
    .extend({ right: fill(width), bottom: fill(height), background: 'white' })
    .png({ compressionLevel: 1 })
    .toBuffer()
}
