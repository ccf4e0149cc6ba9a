import autocannon from 'autocannon'
import { call, type Route } from './caller.ts'
import { alternate } from './rounds.ts'
import { median, type Pair } from './statistics.ts'

/** What a server did under load; every answer was the expected one. */
export interface Load {
  calls: number
  perSecond: number
}

/** Calls over so many connections for a while; throws for a wrong answer. */
export async function load(
  route: Route,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Load> {
  const result = await autocannon({
    url: route.url,
    method: 'POST',
    headers: route.headers,
    body: Buffer.from(route.body),
    connections,
    duration: seconds,
    verifyBody: (body) => route.isRight(Buffer.from(body as string)),
  })
  const calls = result['2xx']
  const bad = result.non2xx + result.errors + result.mismatches
  if (bad > 0) throw new Error(`${route.url} gave ${bad} bad answers under load, and ${calls} good ones`)
  return { calls, perSecond: calls / result.duration }
}

/** The median of one call at a time, in milliseconds, the two servers taking turns of so many calls. */
export async function compareLatency(
  routes: Record<keyof Pair, Route>,
  { rounds, turn }: { rounds: number; turn: number },
): Promise<Pair> {
  const kinds = { plain: () => timeEach(routes.plain, turn), flash: () => timeEach(routes.flash, turn) }
  await alternate(3, kinds)
  const taken = await alternate(rounds, kinds)
  const middle = (kind: keyof Pair) => median(taken.flatMap((round) => round[kind]))
  return { plain: middle('plain'), flash: middle('flash') }
}

async function timeEach(route: Route, count: number): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    const started = performance.now()
    const verdict = await call(route)
    if (verdict !== 'right') throw new Error(`${route.url} gave a ${verdict} answer`)
    times.push(performance.now() - started)
  }
  return times
}
