import { AppError, parseEndpointConfig, type ResolvedEndpointConfig } from '@flash/protocol'

/** What a client with an image wants to be told. */
export interface ImageAsk {
  /** What it will send. */
  use: 'queue' | 'balanced'
  config: ResolvedEndpointConfig & { name: string; image: string }
  /** It has asked before, and was told to ask again. */
  again: boolean
}

/** Throws `BAD_REQUEST`, and what `parseEndpointConfig` throws. */
export function parseAsk(bytes: Uint8Array): ImageAsk {
  const { use, config: raw, again } = parseObject(Buffer.from(bytes).toString())
  if (use !== 'queue' && use !== 'balanced') throw badRequest('`use` is neither "queue" nor "balanced"')
  const config = parseEndpointConfig(raw, () => undefined)
  const { name, image } = config
  if (name === null || image === null) throw badRequest('the config has no `name` or no `image`')
  return { use, config: { ...config, name, image }, again: again === true }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch (cause) {
    throw badRequest('the body is no JSON', cause)
  }
}

function badRequest(message: string, cause?: unknown): AppError {
  return new AppError('BAD_REQUEST', { message, hint: 'send { use, config } as JSON', cause })
}
