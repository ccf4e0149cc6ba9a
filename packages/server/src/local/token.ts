import { timingSafeEqual } from 'node:crypto'

/** Whether a request shows the token of a session; takes the same time whatever it shows. */
export function hasToken(headers: Headers, token: string): boolean {
  const given = Buffer.from(/^bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? '')
  const wanted = Buffer.from(token)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
