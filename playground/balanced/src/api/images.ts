import { setTimeout as wait } from 'node:timers/promises'
import sharp from 'sharp'
import { endpoint, RemoteError } from 'unplugin-flash'
import { z } from 'zod'
import { formats } from '../formats.ts'

const api = endpoint({ name: 'images', cpu: 'cpu3c-2-4', dependencies: ['sharp'], maxConcurrency: 4 })

const made = { pictures: 0, bytes: 0 }

/** The picture that is the body of the request, smaller and in another format. */
export const resize = api.post(
  '/resize/:width',
  async ({ params, query, request }) => {
    const picture = open(await request.arrayBuffer())
    const { data, info } = await picture
      .rotate()
      .resize({ width: params.width, withoutEnlargement: true })
      .toFormat(query.format)
      .toBuffer({ resolveWithObject: true })
      .catch(refuse)
    made.pictures++
    made.bytes += data.length
    return new Response(new Uint8Array(data), {
      headers: { 'content-type': `image/${query.format}`, 'x-size': `${info.width}x${info.height}` },
    })
  },
  {
    params: z.object({ width: z.number().int().min(1).max(2_000) }),
    query: z.object({ format: z.enum(formats).default('webp') }),
  },
)

/** What the picture is, without making another one of it. */
export const inspect = api.post('/inspect', async ({ request }) => {
  const bytes = await request.arrayBuffer()
  const { width, height, format } = await open(bytes).metadata().catch(refuse)
  return { width: width ?? 0, height: height ?? 0, format: format ?? 'unknown', bytes: bytes.byteLength }
})

/** How much this worker has made so far, each time that changes, until nobody listens. */
export const live = api.get('/live', async function* ({ request }) {
  let told = -1
  while (!request.signal.aborted) {
    if (told !== made.pictures)
      yield { pictures: (told = made.pictures), bytes: made.bytes, worker: process.pid }
    await wait(100, undefined, { signal: request.signal }).catch(() => {})
  }
})

function open(bytes: ArrayBuffer): sharp.Sharp {
  if (bytes.byteLength === 0) throw new RemoteError('NO_PICTURE', 'the request has no body')
  return sharp(Buffer.from(bytes))
}

function refuse(cause: Error): never {
  throw new RemoteError('NO_PICTURE', `the body is no picture that can be read: ${cause.message}`)
}
