import type { Block } from './markdown.ts'

/** A `curl` command of the documentation and the answer printed below it. */
export interface CurlExample {
  command: string
  status: number
  /** Each `…` stands for anything. */
  answer: string
}

export function readExamples({ text }: Block): CurlExample[] {
  return text
    .trim()
    .split(/\n\n/)
    .map((part) => {
      const match = /^(curl [^\n]+)\n# (\d{3}) ([^\n]+)$/.exec(part)
      if (!match) throw new Error(`not a curl command with its answer:\n${part}`)
      return { command: match[1]!, status: Number(match[2]), answer: match[3]! }
    })
}

export function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`).test(text)
}

/** Does what the command would: `-X`, `-H` and `-d` are known, `$NAME` is replaced by the variable. */
export async function runCurl(
  command: string,
  origin: string,
  variables: Record<string, string>,
): Promise<Response> {
  const [, ...words] = splitWords(command)
  const headers: Record<string, string> = {}
  let [url, method, body] = ['', undefined as string | undefined, undefined as string | undefined]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-X') method = words.shift()
    else if (word === '-d') body = words.shift()
    else if (word === '-H') {
      const header = fillIn(words.shift()!, variables)
      headers[header.slice(0, header.indexOf(':'))] = header.slice(header.indexOf(':') + 1).trim()
    } else if (word.startsWith('-')) throw new Error(`unknown option ${word} in: ${command}`)
    else url = word
  }
  if (body !== undefined) headers['content-type'] ??= 'application/x-www-form-urlencoded'
  const address = fillIn(url.replace(/^http:\/\/[^/]+/, origin), variables)
  return fetch(address, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, body })
}

function fillIn(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$([A-Z_]+)/g, (name, variable) => variables[variable] ?? name)
}

function splitWords(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!)
}
