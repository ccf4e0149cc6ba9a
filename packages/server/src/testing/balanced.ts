import { encodeMessage, FrameType, type Message, type RouteFact, type ServerFunction } from '@flash/protocol'

const fact = (id: string, exportPath: string, route?: RouteFact): ServerFunction => ({
  id,
  endpoint: 'pictures',
  exportPath,
  kind: route ? 'route' : 'web',
  ...(route && { route }),
  callables: [],
  constructorParams: null,
  hasInput: false,
  setup: null,
})

/** One web app, and four routes of another endpoint. */
export const balancedFacts: ServerFunction[] = [
  fact('site', 'site'),
  fact('resize', 'api.POST /resize/:width', { method: 'POST', path: '/resize/:width', schemas: [] }),
  fact('list', 'api.GET /pictures/**:path', { method: 'GET', path: '/pictures/**:path', schemas: [] }),
  fact('newest', 'api.GET /pictures/new', { method: 'GET', path: '/pictures/new', schemas: [] }),
  fact('live', 'api.WS /live/:room', { method: 'WS', path: '/live/:room', schemas: [] }),
]

export interface Asked {
  method?: string
  path?: string
  headers?: [string, string][]
  body?: Uint8Array
  /** Fields beside `fetch`. */
  options?: Record<string, unknown>
}

/** The body of a request as stubs send it. */
export function fetchBody({
  method = 'GET',
  path = '/',
  headers = [],
  body,
  options,
}: Asked): Uint8Array<ArrayBuffer> {
  const fetch = { method, path, headers, body: body !== undefined }
  return encodeMessage({
    type: FrameType.call,
    rich: false,
    text: JSON.stringify({ fetch, ...options }),
    parts: body ? [body] : [],
  })
}

/** What the frames of an answer say. */
export function readFrames(messages: Message[]) {
  const [first] = messages
  const last = messages.at(-1)
  const chunks = messages.filter(({ type }) => type === FrameType.chunk).flatMap(({ parts }) => parts)
  const head = first?.type === FrameType.head ? JSON.parse(first.text) : undefined
  return {
    status: head?.status as number | undefined,
    headers: new Headers(head?.headers),
    text: Buffer.concat(chunks).toString(),
    isComplete: last?.type === FrameType.end,
    error: last?.type === FrameType.error ? JSON.parse(last.text) : undefined,
  }
}
