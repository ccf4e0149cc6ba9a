// Draws receipt.jpg from lines.json: printed paper on a desk, a little crooked and unevenly lit, as a phone sees it.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const lines = JSON.parse(await readFile(new URL('./lines.json', import.meta.url), 'utf8'))
const paper = { left: 120, top: 84, width: 720, margin: 46 }
const picture = { width: 960, height: 1480 }
const right = paper.left + paper.width - paper.margin
const left = paper.left + paper.margin
const middle = paper.left + paper.width / 2

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const print = (x, y, text, { size = 27, anchor = 'start', weight = 400 } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" xml:space="preserve">${escape(text)}</text>`
const rule = (y) =>
  `<line x1="${left}" x2="${right}" y1="${y}" y2="${y}" stroke="#3a3836" stroke-width="2" stroke-dasharray="9 7"/>`

// A fixed seed, so that drawing again gives the same picture.
function createRandom(seed) {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function drawText() {
  const parts = []
  let y = 168
  const pair = ([name, amount], options) => {
    parts.push(print(left, y, name, options), print(right, y, amount, { ...options, anchor: 'end' }))
    y += 44
  }
  const section = (pairs) => {
    parts.push(rule(y - 18))
    y += 26
    pairs.forEach((each) => pair(each))
  }
  lines.head.forEach((text, index) => {
    parts.push(print(middle, y, text, { anchor: 'middle', size: index ? 25 : 38, weight: index ? 400 : 700 }))
    y += index ? 40 : 52
  })
  section(lines.facts)
  section(lines.items)
  section(lines.sums)
  y += 10
  pair(lines.total, { size: 40, weight: 700 })
  y += 4
  section(lines.paid)
  y += 12
  lines.foot.forEach((text) => {
    parts.push(print(middle, y, text, { anchor: 'middle', size: 25 }))
    y += 40
  })
  return { text: parts.join(''), end: y }
}

function drawBarcode(top) {
  const random = createRandom(4817)
  const bars = []
  for (let x = left + 110; x < right - 110; ) {
    const width = 2 + Math.floor(random() * 3) * 2
    bars.push(`<rect x="${x}" y="${top}" width="${width}" height="64"/>`)
    x += width + 2 + Math.floor(random() * 3) * 2
  }
  return bars.join('')
}

function drawPaper(bottom) {
  const teeth = 36
  const step = paper.width / teeth
  const edge = `l${-step / 2} 9 l${-step / 2} -9 `.repeat(teeth)
  const shape = `M${paper.left} ${paper.top} h${paper.width} V${bottom} ${edge} Z`
  return `<path d="${shape}" fill="#1d120a" opacity=".55" filter="url(#soft)" transform="translate(10 16)"/><path d="${shape}" fill="url(#sheet)"/>`
}

function drawDesk() {
  const random = createRandom(11)
  return Array.from({ length: 90 }, () => {
    const y = random() * picture.height
    return `<path d="M0 ${y} q240 ${random() * 26 - 13} 480 0 t480 ${random() * 12}" stroke="#2b1a0f" stroke-opacity="${0.08 + random() * 0.22}" stroke-width="${1 + random() * 4}" fill="none"/>`
  }).join('')
}

function drawPicture() {
  const { text, end } = drawText()
  const { width, height } = picture
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
  <defs>
    <linearGradient id="desk" x2="1" y2="1"><stop stop-color="#7a5538"/><stop offset="1" stop-color="#4d3321"/></linearGradient>
    <linearGradient id="sheet" x2=".35" y2="1"><stop stop-color="#fdfbf6"/><stop offset=".46" stop-color="#f4f0e7"/><stop offset=".5" stop-color="#e9e4d9"/><stop offset=".56" stop-color="#f3efe6"/><stop offset="1" stop-color="#e3ddd0"/></linearGradient>
    <radialGradient id="light" cx=".3" cy=".2" r="1.1"><stop offset=".35" stop-color="#000" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity=".26"/></radialGradient>
    <filter id="soft" x="-10%" y="-10%" width="120%" height="120%"><feGaussianBlur stdDeviation="14"/></filter>
  </defs>
  <rect width="${width}" height="${height}" fill="url(#desk)"/>${drawDesk()}
  <g transform="rotate(-0.9 ${width / 2} ${height / 2})">
    ${drawPaper(end + 96)}
    <g fill="#2a2826" font-family="Liberation Mono, DejaVu Sans Mono, monospace">${text}${drawBarcode(end - 8)}</g>
  </g>
  <rect width="${width}" height="${height}" fill="url(#light)"/>
</svg>`
}

async function drawGrain() {
  const random = createRandom(7)
  const { width, height } = picture
  const data = Buffer.alloc(width * height * 4)
  for (let at = 0; at < data.length; at += 4) data.fill(random() * 255, at, at + 3).fill(14, at + 3, at + 4)
  return { input: data, raw: { width, height, channels: 4 } }
}

await sharp(Buffer.from(drawPicture()))
  .composite([await drawGrain()])
  .blur(0.6)
  .jpeg({ quality: 80, mozjpeg: true })
  .toFile(fileURLToPath(new URL('./receipt.jpg', import.meta.url)))
