import { decodeValue, type Message, writeForeign } from '@flash/protocol'

/** A result as the worker sent it, undecoded; the items of a generator are a list of such. */
export type Output = Message | Message[]

export function messageBytes(output: Output): number {
  const messages = Array.isArray(output) ? output : [output]
  return messages.reduce(
    (sum, message) =>
      sum + message.text.length + message.parts.reduce((bytes, part) => bytes + part.byteLength, 0),
    0,
  )
}

/** The result as plain JSON, for a reader that is not one of our stubs. */
export async function plainOutput(output: Output): Promise<unknown> {
  return Array.isArray(output) ? Promise.all(output.map(plainMessage)) : plainMessage(output)
}

function plainMessage({ rich, text, parts }: Message): unknown {
  return rich ? writeForeign(decodeValue(rich, text, parts, { direction: 'out' })) : JSON.parse(text)
}
