/**
 * What the types of clients say, as assertions that the compiler checks; nothing here runs.
 * `types.test.ts` compiles this file under several settings.
 */
import { z } from 'zod'
import * as v from 'valibot'
import { type ClientJob, type ClientJobStatus, endpoint, type EndpointClient } from './index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(...proof: Same<A, B> extends true ? [] : [{ got: A; wanted: B }]): void
type Awaits<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>

// --- without types ---

const open = endpoint({ id: 'abc' })
same<Awaits<typeof open.runSync>, unknown>()
same<Parameters<typeof open.run>[0], object | undefined>()
void open.run()
void open.run({ any: 'thing' }, { timeoutMs: 1, signal: new AbortController().signal, lowPriority: true })
const items: AsyncGenerator<unknown, void> = open.stream('id')
const answer: Promise<unknown> = open.get('/x')
const typed: Promise<number> = open.post<number>('/x', { body: { a: 1 }, query: { a: [1, 'b', undefined] } })
const head: Promise<Response> = open.head('/x')
void [items, answer, typed, head]

// --- by hand ---

const byHand = endpoint<{ url: string }, { at: number }[]>({
  app: 'shop',
  name: 'ocr',
  environment: 'production',
})
same<typeof byHand, EndpointClient<{ url: string }, { at: number }[]>>()
same<Awaits<typeof byHand.runSync>, { at: number }[]>()
same<Awaits<typeof byHand.run>, ClientJob<{ at: number }[]>>()
same<Awaits<typeof byHand.status>, ClientJobStatus<{ at: number }[]>>()
const stream: AsyncGenerator<{ at: number }, void> = byHand.stream('id')
const other: AsyncGenerator<string, void> = byHand.stream<string>('id')
async function read(job: ClientJob<{ at: number }[]>) {
  for await (const { at } of job.stream()) same<typeof at, number>()
  for await (const event of job) if (event.type === 'item') same<typeof event.value, { at: number }>()
  const { output, progress, error } = await job.status()
  same<typeof output, { at: number }[] | undefined>()
  same<typeof progress, unknown>()
  return [error?.code, await job.wait({ timeoutMs: 1 })]
}
void [stream, other, read]
const maybe = endpoint<{ url: string } | undefined, string>({ id: 'abc' })
void maybe.run()

// --- by schemas ---

const bySchema = endpoint({
  id: 'abc',
  input: z.object({ size: z.number().default(1), at: z.string() }),
  output: v.pipe(
    v.string(),
    v.transform((text) => text.length),
  ),
})
same<Awaits<typeof bySchema.runSync>, number>()
void bySchema.run({ at: 'x' })
const config = { id: 'abc', output: z.array(z.date()) } as const
const ofConstant = endpoint(config)
same<Awaits<typeof ofConstant.runSync>, Date[]>()
const dates: AsyncGenerator<Date, void> = ofConstant.stream('id')
void dates

void endpoint({ id: 'abc', dev: { target: 'live' } })
