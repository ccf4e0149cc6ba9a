import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { AppError, errorCodes } from '@flash/protocol'
import type { AccountContext } from '../store.ts'
import { openDownload, receiveUpload } from './uploads.ts'

/** `PUT /upload/{token}` and `GET /download/{token}`; the token is all it takes. */
export async function answerArtifact(
  ctx: AccountContext,
  request: Request,
  path: string,
): Promise<Response | null> {
  const [, kind, token] = /^\/(upload|download)\/([\w-]+)$/.exec(path) ?? []
  if (!kind || !token) return null
  try {
    if (kind === 'upload') return await upload(ctx, request, token)
    return await download(ctx, request, token)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return toText(errorCodes[error.code].status, error.message)
  }
}

async function upload(ctx: AccountContext, request: Request, token: string): Promise<Response> {
  if (request.method !== 'PUT') return toText(405, 'an archive is sent with PUT', { allow: 'PUT' })
  await receiveUpload(ctx, token, request)
  return new Response(null, { status: 200 })
}

async function download(ctx: AccountContext, request: Request, token: string): Promise<Response> {
  if (request.method !== 'GET') return toText(405, 'an archive is fetched with GET', { allow: 'GET' })
  const { path, size } = await openDownload(ctx, token)
  const body = Readable.toWeb(createReadStream(path)) as unknown as ReadableStream
  return new Response(body, {
    headers: { 'content-type': 'application/gzip', 'content-length': `${size}`, 'cache-control': 'no-store' },
  })
}

function toText(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}
