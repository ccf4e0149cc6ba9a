import { inspect, resize } from './api/images.ts'
import { formats, type Format } from './formats.ts'
import { listen } from './live.ts'
import { draw } from './picture.ts'
import { thumbnails } from './remote/thumbnails.ts'
import './style.css'

const find = <E extends HTMLElement>(selector: string) => document.querySelector<E>(selector)!

const form = find<HTMLFormElement>('form')
const file = find<HTMLInputElement>('[name="picture"]')
const select = find<HTMLSelectElement>('[name="format"]')
const before = find('#picture')
const original = find<HTMLImageElement>('#original')
const result = find('#result')
const pictures = find('#pictures')

select.append(...formats.map((format) => new Option(format, format)))

let picture: File | null = null

/** Runs one thing at a time and says how it went. */
async function run(work: () => Promise<string>): Promise<void> {
  form.ariaBusy = 'true'
  result.dataset.state = 'running'
  result.textContent = 'Working …'
  try {
    result.textContent = await work()
    result.dataset.state = 'done'
  } catch (error) {
    result.textContent = error instanceof Error ? error.message : String(error)
    result.dataset.state = 'failed'
  }
  form.ariaBusy = 'false'
}

/** Shows the picture and what the worker says about it. */
async function choose(given: Promise<File> | File): Promise<void> {
  original.hidden = true
  delete before.dataset.state
  try {
    const chosen = (picture = await given)
    before.textContent = `${chosen.name}, ${chosen.size} bytes`
    const { width, height, format } = await inspect({ body: chosen })
    before.textContent = `${chosen.name}: ${width} × ${height}, ${format}, ${chosen.size} bytes`
    load(original, chosen).hidden = false
  } catch (error) {
    before.textContent = error instanceof Error ? error.message : String(error)
    before.dataset.state = 'failed'
  }
}

function load(image: HTMLImageElement, picture: Blob): HTMLImageElement {
  const url = URL.createObjectURL(picture)
  for (const end of ['load', 'error'])
    image.addEventListener(end, () => URL.revokeObjectURL(url), { once: true })
  image.src = url
  return image
}

function show(made: Blob[]): void {
  pictures.replaceChildren(
    ...made.map((one) => {
      const image = load(new Image(), one)
      image.alt = `${one.size} bytes of ${one.type}`
      const item = document.createElement('li')
      item.append(image)
      return item
    }),
  )
}

function needed(): File {
  if (picture) return picture
  throw new Error('Choose a picture first')
}

file.addEventListener('change', () => {
  const [chosen] = file.files ?? []
  if (chosen) void choose(chosen)
})

find('#sample').addEventListener('click', () => void choose(draw()))

form.addEventListener('submit', (event) => {
  event.preventDefault()
  const { width, format } = Object.fromEntries(new FormData(form)) as { width: string; format: Format }
  void run(async () => {
    const answer = await resize({ params: { width: Number(width) }, query: { format }, body: needed() })
    const blob = await answer.blob()
    show([blob])
    return `${answer.headers.get('x-size')}, ${blob.type}, ${blob.size} bytes`
  })
})

find('#thumbnails').addEventListener('click', () => {
  void run(async () => {
    const made = await thumbnails(needed(), [64, 128, 256])
    show(made)
    return made.map(({ name, size }) => `${name} ${size} bytes`).join(', ')
  })
})

listen(find('#listen'), find('#live'))
