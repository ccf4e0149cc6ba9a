import { RemoteError } from 'unplugin-flash'
import sharp from 'sharp'

/** Pixels of a picture the right way up: RGB, 3 bytes each, row by row. */
export interface Page {
  pixels: Buffer
  width: number
  height: number
}

export type Point = [x: number, y: number]

/** A page turned by a few degrees, which remembers where its points were. */
export interface Sheet extends Page {
  toPage(point: Point): Point
}

// AVIF is a kind of HEIF.
const formats = ['jpeg', 'png', 'webp', 'gif', 'heif']
const limitPixels = 120_000_000
const keptPixels = 12_000_000

/**
 * Decodes a picture: turned as its camera says, transparent parts white, 12 megapixels kept at most.
 *
 * - throws `NOT_A_PICTURE` for anything else, damaged files included.
 */
export async function openPicture(file: File): Promise<Page> {
  const bytes = Buffer.from(await file.arrayBuffer())
  try {
    const picture = sharp(bytes, { limitInputPixels: limitPixels, failOn: 'error' })
    const { format = 'this', width = 0, height = 0 } = await picture.metadata()
    if (!formats.includes(format)) throw new Error(`${format} is none of ${formats.join(', ')}`)
    const side = Math.round(Math.max(width, height) * Math.min(1, Math.sqrt(keptPixels / (width * height))))
    return await toPixels(
      picture
        .rotate()
        .resize({ width: side, height: side, fit: 'inside' })
        .flatten({ background: 'white' })
        .toColourspace('srgb'),
    )
  } catch (cause) {
    throw new RemoteError('NOT_A_PICTURE', `${file.name} could not be opened as a picture`, {
      data: { name: file.name, type: file.type, bytes: file.size },
      cause,
    })
  }
}

/** Turns lines that fall by `degrees` to the right until they are level; the corners this opens are white. */
export async function straighten(page: Page, degrees: number): Promise<Sheet> {
  if (degrees === 0) return { ...page, toPage: (point) => point }
  const turned = await toPixels(fromPage(page).rotate(-degrees, { background: 'white' }))
  const angle = (degrees * Math.PI) / 180
  return {
    ...turned,
    toPage([x, y]) {
      const right = x - turned.width / 2
      const down = y - turned.height / 2
      return [
        right * Math.cos(angle) - down * Math.sin(angle) + page.width / 2,
        right * Math.sin(angle) + down * Math.cos(angle) + page.height / 2,
      ]
    },
  }
}

/** A pipeline that starts at the page's pixels. */
export function fromPage(page: Page): sharp.Sharp {
  return sharp(page.pixels, { raw: { width: page.width, height: page.height, channels: 3 } })
}

async function toPixels(pipeline: sharp.Sharp): Promise<Page> {
  const { data, info } = await pipeline.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { pixels: data, width: info.width, height: info.height }
}
