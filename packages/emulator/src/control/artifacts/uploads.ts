import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '@flash/protocol'
import { createToken } from '../ids.ts'
import type { FlashBuildRecord, UploadRecord } from '../records.ts'
import { invalid, refused } from '../refuse.ts'
import { createBuild, getApp } from '../resources/flash-apps.ts'
import type { AccountContext } from '../store.ts'
import { forgetExpired, LINK_MS } from './links.ts'
import { artifactPath } from './paths.ts'
import { checkArchive } from './tar.ts'

/** 1500 MiB. */
const LIMIT_BYTES = 1_500 * 2 ** 20

/** Opens the way for an archive. */
export function prepareUpload(ctx: AccountContext, appId: string, declaredBytes: number): UploadRecord {
  getApp(ctx, appId)
  if (!Number.isInteger(declaredBytes) || declaredBytes < 1)
    throw invalid([`tarballSize: ${declaredBytes} is no number of bytes`])
  if (declaredBytes > LIMIT_BYTES)
    throw invalid([`tarballSize: ${declaredBytes} bytes are more than the ${LIMIT_BYTES} that are allowed`])
  forgetExpired(ctx)
  const token = createToken()
  const upload: UploadRecord = {
    token,
    appId,
    objectKey: `flash/${appId}/${createToken()}.tar.gz`,
    declaredBytes,
    expiresAt: ctx.clock.now() + LINK_MS,
    state: 'waiting',
  }
  ctx.store.uploads.set(token, upload)
  return upload
}

/**
 * Takes the bytes of an archive; when they do not come whole, the address stays good for another try.
 *
 * - throws `FORBIDDEN` for a token that is unknown, used or expired, `PAYLOAD_TOO_LARGE`, `BAD_REQUEST`.
 */
export async function receiveUpload(ctx: AccountContext, token: string, request: Request): Promise<void> {
  forgetExpired(ctx)
  const upload = ctx.store.uploads.get(token)
  if (upload?.state !== 'waiting') throw forbidden()
  const declared = Number(request.headers.get('content-length') ?? upload.declaredBytes)
  if (declared > upload.declaredBytes) throw tooLarge(upload)
  upload.state = 'receiving'
  const path = artifactPath(ctx.folder, upload.objectKey)
  try {
    await writeWhole(ctx, upload, request, `${path}.part`)
    await rename(`${path}.part`, path)
    upload.state = 'received'
  } catch (error) {
    upload.state = 'waiting'
    await rm(`${path}.part`, { force: true })
    throw error
  }
}

async function writeWhole(
  ctx: AccountContext,
  upload: UploadRecord,
  request: Request,
  path: string,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const body = request.body ? Readable.fromWeb(request.body as never) : Readable.from([])
  let size = 0
  const counted = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      size += chunk.length
      if (size > upload.declaredBytes) done(tooLarge(upload))
      else done(null, chunk)
    },
  })
  const signal = AbortSignal.any([ctx.closing, request.signal])
  await pipeline(body, counted, createWriteStream(path, { mode: 0o600 }), { signal }).catch(
    (cause: unknown) => {
      if (cause instanceof AppError) throw cause
      throw new AppError('BAD_REQUEST', {
        message: 'the upload broke before the whole archive had arrived',
        cause,
      })
    },
  )
  if (size !== upload.declaredBytes)
    throw refused(`the archive has ${size} bytes, ${upload.declaredBytes} were announced as tarballSize`)
}

/**
 * Makes a build of an archive that was sent.
 *
 * - throws `NOT_FOUND` when nothing was, `BAD_REQUEST` when it is no archive or leaves its folder.
 */
export async function finalizeUpload(
  ctx: AccountContext,
  { appId, objectKey, manifest }: Pick<FlashBuildRecord, 'appId' | 'objectKey' | 'manifest'>,
): Promise<FlashBuildRecord> {
  getApp(ctx, appId)
  forgetExpired(ctx)
  const upload = [...ctx.store.uploads.values()].find(
    (one) => one.objectKey === objectKey && one.appId === appId,
  )
  if (upload?.state !== 'received')
    throw refused(
      'nothing was uploaded for this objectKey, or a build was made of it before',
      'upload it first',
    )
  const path = artifactPath(ctx.folder, objectKey)
  // A second call meanwhile finds it used.
  upload.state = 'used'
  try {
    await checkMagic(path)
    await checkArchive(path, {}, ctx.closing)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  ctx.store.uploads.delete(upload.token)
  // The app may have been deleted while the archive was read.
  if (!ctx.store.apps.has(appId)) await rm(path, { force: true })
  getApp(ctx, appId)
  return createBuild(ctx, { appId, objectKey, manifest })
}

async function checkMagic(path: string): Promise<void> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
    if (buffer[0] !== 0x1f || buffer[1] !== 0x8b) throw refused('the archive is not gzipped')
  } finally {
    await file.close()
  }
}

/** An archive for whoever has its address. */
export async function openDownload(
  ctx: AccountContext,
  token: string,
): Promise<{ path: string; size: number }> {
  forgetExpired(ctx)
  const download = ctx.store.downloads.get(token)
  if (!download) throw forbidden()
  const path = artifactPath(ctx.folder, download.objectKey)
  const file = await stat(path).catch(() => undefined)
  if (!file) throw forbidden()
  return { path, size: file.size }
}

function forbidden(): AppError {
  return new AppError('FORBIDDEN', {
    message: 'this address is unknown, was used before, or has expired',
    hint: 'ask for a new one',
  })
}

function tooLarge({ declaredBytes }: UploadRecord): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the archive has more bytes than the ${declaredBytes} that were announced as tarballSize`,
    hint: 'announce its real size',
  })
}
