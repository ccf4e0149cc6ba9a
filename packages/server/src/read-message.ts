import { AppError, createMessageReader, decodeValue, FrameType, type Message } from '@flash/protocol'
import { readChunks } from './body.ts'
import { MARKER } from './problem.ts'

/** More than this no token needs. */
const JSON_BYTES = 64 * 1024

/** What every request of a stub has, and no form or link of another site can. */
export function checkRequest(request: Request): void {
  if (request.method !== 'POST') {
    throw new AppError('METHOD_NOT_ALLOWED', {
      message: `${request.method} is not allowed here`,
      hint: 'calls are POST requests',
    })
  }
  const type = request.headers.get('content-type') ?? ''
  const [name = '', ...parameters] = type.split(';').map((part) => part.trim())
  if (name.toLowerCase() !== 'application/x-flash') {
    throw new AppError('UNSUPPORTED_TYPE', {
      message: `content type "${type}" is not application/x-flash`,
      hint: 'call the function through its stub',
    })
  }
  const version = parameters.find((parameter) => /^v=/i.test(parameter))?.slice(2)
  if (version !== '1' && version !== '"1"') {
    throw new AppError('SKEW', {
      message: `the page speaks "${type}", this server speaks version 1`,
      hint: 'reload the page',
    })
  }
  if (request.headers.get(MARKER) !== '1') {
    throw new AppError('BAD_REQUEST', {
      message: `the header ${MARKER} is missing`,
      hint: 'call the function through its stub',
    })
  }
}

/** The one call message of a body, decoded. Throws `BAD_FRAMES`, `BAD_INPUT` and `PAYLOAD_TOO_LARGE`. */
export async function readCall(request: Request, limitBytes: number): Promise<unknown> {
  const { rich, text, parts } = await readMessage(request, limitBytes)
  return decodeValue(rich, text, parts)
}

/** The same for the short messages about a job. */
export async function readJson<T>(request: Request, parse: (value: unknown) => T): Promise<T> {
  return parse(await readCall(request, JSON_BYTES))
}

/** The same as it came. */
async function readMessage(request: Request, limitBytes: number): Promise<Message> {
  const chunks = await readChunks(request, limitBytes)
  let message: Message | undefined
  const reader = createMessageReader(
    (next) => {
      if (message) throw new AppError('BAD_FRAMES', { message: 'the body holds more than one message' })
      message = next
    },
    { bytes: limitBytes },
  )
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  if (message?.type !== FrameType.call)
    throw new AppError('BAD_FRAMES', { message: 'the body holds no call message' })
  return message
}
