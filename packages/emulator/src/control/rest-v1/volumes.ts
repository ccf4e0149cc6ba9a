import { AppError, errorCodes } from '@flash/protocol'
import { isSameKey, parseKey } from '../authorization.ts'
import { readJson } from '../body.ts'
import type { NetworkVolumeRecord } from '../records.ts'
import { invalid } from '../refuse.ts'
import {
  changeNetworkVolume,
  createNetworkVolume,
  deleteNetworkVolume,
  getNetworkVolume,
} from '../resources/volumes.ts'
import type { AccountContext } from '../store.ts'

/** Network volumes as the first REST API has them: the only part of it that a client still uses. */
export async function answerVolumesV1(
  ctx: AccountContext,
  request: Request,
  path: string,
): Promise<Response | null> {
  const match = /^\/v1\/networkvolumes(?:\/([^/]+)(\/update)?)?$/.exec(path)
  if (!match) return null
  if (!isSameKey(parseKey(request.headers.get('authorization')), ctx.apiKey))
    return toMessage(401, 'Unauthorized')
  const [, id, update] = match
  try {
    if (id === undefined) return await answerAll(ctx, request)
    return await answerOne(ctx, request, id, Boolean(update))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // This API knows no 422.
    const { status } = errorCodes[error.code]
    return toMessage(status === 422 ? 400 : status, error.message)
  }
}

async function answerAll(ctx: AccountContext, request: Request): Promise<Response> {
  if (request.method === 'GET') return toJson([...ctx.store.networkVolumes.values()].map(toVolume))
  if (request.method !== 'POST') return notAllowed('GET, POST')
  const { name, sizeGb, dataCenterId } = parseVolume(await readJson(request))
  if (name === undefined || sizeGb === undefined || dataCenterId === undefined)
    throw invalid(['name, size and dataCenterId are required'])
  return toJson(toVolume(await createNetworkVolume(ctx, { name, sizeGb, dataCenterId, type: 'STANDARD' })))
}

async function answerOne(
  ctx: AccountContext,
  request: Request,
  id: string,
  isUpdate: boolean,
): Promise<Response> {
  const { method } = request
  if (isUpdate ? method === 'POST' : method === 'PATCH') {
    getNetworkVolume(ctx, id)
    const { name, sizeGb } = parseVolume(await readJson(request))
    return toJson(toVolume(changeNetworkVolume(ctx, id, { name, sizeGb })))
  }
  if (isUpdate) return notAllowed('POST')
  if (method === 'GET') return toJson(toVolume(getNetworkVolume(ctx, id)))
  if (method !== 'DELETE') return notAllowed('GET, PATCH, DELETE')
  await deleteNetworkVolume(ctx, id)
  return new Response(null, { status: 204 })
}

function parseVolume(body: unknown): { name?: string; sizeGb?: number; dataCenterId?: string } {
  if (typeof body !== 'object' || body === null) throw invalid(['the body must be an object'])
  const { name, size, dataCenterId } = body as Record<string, unknown>
  if (name !== undefined && typeof name !== 'string') throw invalid(['name: must be a text'])
  if (size !== undefined && typeof size !== 'number') throw invalid(['size: must be a number'])
  if (dataCenterId !== undefined && typeof dataCenterId !== 'string')
    throw invalid(['dataCenterId: must be a text'])
  return { name, sizeGb: size, dataCenterId }
}

/** Python's client refuses a volume with any other key. */
function toVolume({ id, name, sizeGb, dataCenterId }: NetworkVolumeRecord) {
  return { id, name, size: sizeGb, dataCenterId }
}

function notAllowed(allow: string): Response {
  return toMessage(405, 'method not allowed', { allow })
}

function toMessage(status: number, message: string, headers?: Record<string, string>): Response {
  return toJson({ message }, status, headers)
}

function toJson(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })
}
