import { AppError } from '@flash/protocol'

/** Something that adds to the size of a build: `receipt-ocr/assets/model.onnx`. */
export interface Part {
  name: string
  bytes: number
}

const MEBIBYTE = 1024 * 1024

/** All endpoint folders together. */
export const LIMIT_BYTES = 1500 * MEBIBYTE

const SHOWN = 10

/** `null` when everything fits. */
export function checkSize(totalBytes: number, parts: () => Part[], limitBytes: number): AppError | null {
  if (totalBytes <= limitBytes) return null
  const largest = parts()
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, SHOWN)
  const rows = largest.map(({ name, bytes }) => `  ${showSize(bytes)}  ${name}`)
  return new AppError('BUNDLE_TOO_LARGE', {
    message: [
      `the worker bundles have ${showSize(totalBytes)}, and ${showSize(limitBytes)} is the limit; the largest parts are`,
      ...rows,
    ].join('\n'),
    hint: 'put weights on a volume or name them as `model`, and list large packages in `dependencies`, which are installed on the worker',
    data: { totalBytes, limitBytes, largest },
  })
}

function showSize(bytes: number): string {
  return bytes < MEBIBYTE ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MEBIBYTE).toFixed(1)} MiB`
}
