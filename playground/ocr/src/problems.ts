/** What went wrong, as a person is told it: what happened, then what to do. */
export interface Problem {
  title: string
  text: string
  /** Whether the same picture may work at another try. */
  again: boolean
}

export const pictureTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

// A job's input may be 10 MB, and a picture grows by a third on its way into a queue.
const limitBytes = 7_000_000

const notPicture = (name: string): Problem => ({
  title: 'That is not a picture',
  text: `“${name}” could not be opened. Choose a JPEG, PNG, WebP, GIF or AVIF file.`,
  again: false,
})

/** The problem of a file that need not be sent at all. */
export function findProblem(file: File): Problem | undefined {
  if (!pictureTypes.includes(file.type)) return notPicture(file.name)
  if (file.size <= limitBytes) return undefined
  return {
    title: 'This picture is too large',
    text: `“${file.name}” has ${toSize(file.size)}, and ${toSize(limitBytes)} is the limit. Save a smaller copy of it.`,
    again: false,
  }
}

export const nothingFound: Problem = {
  title: 'No text found',
  text: 'The picture was opened, but nothing in it looks like print. A sharper one, filled by the receipt, may do.',
  again: false,
}

const noAnswer: Problem = {
  title: 'The server does not answer',
  text: 'Start it again where you started it, with npm start, then try again. The page can stay open.',
  again: true,
}

export const noSample: Problem = { ...noAnswer, again: false }

const unreachable = new Set(['TRANSPORT', 'SUBMIT_UNKNOWN', 'STREAM_LOST', 'CONNECTION_LOST'])

/** Turns what a call rejected with into words. */
export function explain(error: unknown, file: File): Problem {
  const { code, message, hint } = error as { code?: string; message?: string; hint?: string }
  if (code === 'NOT_A_PICTURE') return notPicture(file.name)
  if (error instanceof TypeError || (code && unreachable.has(code))) return noAnswer
  return {
    title: 'The picture could not be read',
    text: [message ?? String(error), hint].filter(Boolean).join(' – '),
    again: true,
  }
}

/** 125000 → `125 kB`. */
export function toSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
