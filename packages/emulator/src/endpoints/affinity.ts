/** Which worker a request wants. */
export type Wish =
  | { kind: 'any' }
  /** Rather this one. */
  | { kind: 'soft'; id: string }
  /** Only this one; `resume`: also when it was scaled down. */
  | { kind: 'strict'; id: string; resume: boolean }

/**
 * Header `X-Runpod-Worker-Id`: `{id}`, `strict {id}` or `strict-resume {id}`.
 *
 * Source: Runpod docs, Serverless, Load balancing, Worker affinity.
 */
export function parseAffinity(header: string | undefined): Wish {
  const [first = '', second] = (header ?? '').trim().split(/\s+/)
  if (first === '') return { kind: 'any' }
  if (second === undefined) return { kind: 'soft', id: first }
  if (first === 'strict') return { kind: 'strict', id: second, resume: false }
  return first === 'strict-resume' ? { kind: 'strict', id: second, resume: true } : { kind: 'any' }
}
