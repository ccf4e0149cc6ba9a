import { request as httpRequest } from 'node:http'
import { encodeMessage, FrameType } from '@flash/protocol'

/** One kind of call to one server. */
export interface Route {
  url: string
  headers: Record<string, string>
  body: Uint8Array
  /** Whether the body of an answer is the expected one. */
  isRight(answer: Buffer): boolean
}

export type Verdict = 'right' | 'wrong' | 'failed'

/** Makes one call; Node keeps the connections, as many as there are calls at a time. */
export function call({ url, headers, body, isRight }: Route): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: 'POST', headers: { ...headers, 'content-length': body.length } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          if (response.statusCode !== 200) return resolve('failed')
          resolve(isRight(Buffer.concat(chunks)) ? 'right' : 'wrong')
        })
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

export function jsonRoute(url: string, value: unknown, expected: unknown): Route {
  const wanted = Buffer.from(JSON.stringify(expected))
  return {
    url,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
    isRight: (answer) => answer.equals(wanted),
  }
}

/** A stub's call as a page sends it, frames and headers. */
export function pageRoute(server: string, ref: string, args: unknown[], expected: unknown): Route {
  const message = (type: number, value: unknown) =>
    encodeMessage({ type, rich: false, text: JSON.stringify(value), parts: [] })
  const wanted = message(FrameType.value, expected)
  return {
    url: `${server}/_flash/rpc/${ref}`,
    headers: {
      'content-type': 'application/x-flash; v=1',
      'x-flash': '1',
      origin: server,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'cors',
    },
    body: message(FrameType.call, { args }),
    // What comes before the value says which job it was.
    isRight: (answer) => answer.subarray(-wanted.length).equals(wanted),
  }
}

/** The references that the page's copy of a module holds, by export name. */
export async function findRefs(server: string, file: string): Promise<Record<string, string>> {
  const text = await (await fetch(`${server}/${file}`)).text()
  const found = [...text.matchAll(/(\w+) = (?:\/\* @__PURE__ \*\/ )?__flash_stub\("([^"]+)"/g)]
  if (found.length === 0) throw new Error(`${file} has no stubs:\n${text.slice(0, 2000)}`)
  return Object.fromEntries(found.map(([, name, ref]) => [name, ref]))
}
