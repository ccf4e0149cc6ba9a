import { AppError } from '@flash/protocol'
import type { BalancedCall } from './call.ts'

/** Twice what the platform lets through. */
const limitBytes = 64_000_000

/**
 * JSON parsed, text as text, nothing (204) and nothing new (304) as `undefined`; the answer itself for everything else, and where
 * only its headers count.
 */
export async function readAnswer(call: BalancedCall, response: Response): Promise<unknown> {
  if (call.verb === 'HEAD' || call.verb === 'OPTIONS') return response
  const type = typeOf(response)
  if (type === 'other') return response
  const text = await readText(call, response)
  if (text === '') return type === 'text' ? text : undefined
  return type === 'json' ? parseJson(call, text) : text
}

/** What an answer is by its content type; one without a type is `none`, and has no body most of the time. */
function typeOf({ status, headers }: Response): 'none' | 'json' | 'text' | 'other' {
  const type = headers.get('content-type')?.split(';', 1)[0]!.trim().toLowerCase()
  if (!type || status === 204 || status === 304) return 'none'
  if (/^application\/(?:[\w.+-]+\+)?json$/.test(type)) return 'json'
  return type.startsWith('text/') && type !== 'text/event-stream' ? 'text' : 'other'
}

function parseJson({ label }: BalancedCall, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('BAD_RESULT', {
      message: `endpoint "${label}": the answer says that it is JSON, and cannot be read as such`,
      hint: 'correct the content type of the answer, or its body',
      cause,
    })
  }
}

/** The body of an answer, whole; throws `PAYLOAD_TOO_LARGE`, `TRANSPORT`. */
export async function readText({ label }: BalancedCall, response: Response): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new AppError('TRANSPORT', {
        message: `endpoint "${label}": the connection broke before the answer was complete`,
        hint: 'send the request again if that does no harm',
        cause,
      })
    })
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > limitBytes) {
      reader.cancel().catch(() => {})
      throw new AppError('PAYLOAD_TOO_LARGE', {
        message: `endpoint "${label}": the answer has ${bytes} bytes or more, the limit is ${limitBytes}`,
        hint: 'answer with less, or with another content type and read the `Response` as it comes',
        data: { size: bytes, limit: limitBytes },
      })
    }
    text += decoder.decode(value, { stream: true })
  }
}
