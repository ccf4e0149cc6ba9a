/**
 * What the types say, as assertions that the compiler checks; nothing here runs.
 * `types.test.ts` compiles this file under several settings.
 */
import { z } from 'zod'
import * as v from 'valibot'
import {
  type EndpointConfig,
  type FlashContext,
  getContext,
  GlobalVolume,
  GpuGroup,
  GpuType,
  type Job,
  type Methods,
  NetworkVolume,
  PodTemplate,
  remote,
  unchecked,
} from './index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(...proof: Same<A, B> extends true ? [] : [{ got: A; wanted: B }]): void
/** The call signatures alone. */
type Call<F> = F extends (...args: infer P) => infer R ? (...args: P) => R : never

const config = { name: 'types' } satisfies EndpointConfig

declare const large: boolean

// --- functions ---

const plain = async (text: string, times = 1) => text.repeat(times)
const ofPlain = remote(config, plain)
same<typeof ofPlain, typeof plain & Methods<typeof plain>>()
same<ReturnType<typeof ofPlain.run>, Promise<Job<string>>>()
same<ReturnType<typeof ofPlain.attach>, Job<string>>()

const ofSync = remote(config, (a: number, b?: number) => a + (b ?? 0))
same<Call<typeof ofSync>, (a: number, b?: number) => Promise<number>>()
const ofMaybe = remote(config, (id: string): Promise<number> | number | undefined => id.length)
same<Call<typeof ofMaybe>, (id: string) => Promise<number | undefined>>()
const ofNothing = remote(config, () => {})
same<Call<typeof ofNothing>, () => Promise<void>>()
const ofThrowing = remote(config, () => {
  throw new Error('always')
})
same<ReturnType<typeof ofThrowing>, Promise<never>>()
const ofRest = remote(config, async (...files: File[]) => files.length)
same<Parameters<typeof ofRest>, File[]>()
void ofRest(new File([], 'a'), new File([], 'b'))

const ofGeneric = remote(config, async <T>(value: T, count: number): Promise<T[]> => Array(count).fill(value))
const strings: Promise<string[]> = ofGeneric('a', 2)
const dates: Promise<Date[]> = ofGeneric(new Date(), 2)
const keyed = remote(
  config,
  async <T extends { id: string }>(rows: readonly T[]): Promise<Map<string, T>> => {
    return new Map(rows.map((row) => [row.id, row]))
  },
)
const byId: Promise<Map<string, { id: string; n: number }>> = keyed([{ id: 'a', n: 1 }])

function parse(text: string): Promise<string>
function parse(bytes: Uint8Array): Promise<number>
async function parse(input: string | Uint8Array): Promise<string | number> {
  return typeof input === 'string' ? input : input.length
}
const ofOverloads = remote(config, parse)
const fromText: Promise<string> = ofOverloads('a')
const fromBytes: Promise<number> = ofOverloads(new Uint8Array(1))

const ofAny = remote(config, async (input: any): Promise<any> => input)
same<Call<typeof ofAny>, (input: any) => Promise<any>>()
const ofUnknown = remote(config, async (input: unknown): Promise<unknown> => input)
same<Call<typeof ofUnknown>, (input: unknown) => Promise<unknown>>()

// --- generators ---

const ofTokens = remote(config, async function* (prompt: string) {
  yield { token: prompt, at: new Date() }
})
same<ReturnType<typeof ofTokens>, AsyncGenerator<{ token: string; at: Date }, void, unknown>>()
same<ReturnType<typeof ofTokens.run>, Promise<Job<{ token: string; at: Date }[]>>>()
same<Awaited<ReturnType<Job<string[]>['stream']>>, AsyncGenerator<string, void>>()
const ofCount = remote(config, function* (to: number) {
  for (let n = 0; n < to; n++) yield n
})
same<Call<typeof ofCount>, (to: number) => AsyncGenerator<number, void, unknown>>()
const ofAnnotated = remote(config, async function* (to: number): AsyncIterable<number> {
  yield to
})
same<ReturnType<typeof ofAnnotated>, AsyncIterable<number>>()
const ofGenericItems = remote(config, async function* <T>(items: T[]): AsyncGenerator<T, void> {
  yield* items
})
const items: AsyncGenerator<'a' | 'b', void> = ofGenericItems(['a', 'b'] as ('a' | 'b')[])

// --- what travels ---

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
interface Tree {
  value: number
  children: readonly Tree[]
  parent?: Tree
}
type UserId = string & { readonly __brand: 'UserId' }
declare const tag: unique symbol
interface Tagged {
  readonly [tag]: 'tagged'
  id: number
}
interface Everything {
  json: Json
  nothing: undefined
  big: bigint
  when: Date
  map: Map<string, ReadonlySet<Date>>
  bytes: Uint8Array
  floats: Float32Array<ArrayBuffer>
  buffer: ArrayBuffer
  view: DataView
  source: ArrayBufferView | ArrayBuffer
  url: URL
  file: File
  blob: Blob
  form: FormData
  tuple: readonly [string, number?, ...boolean[]]
  list: readonly { deep: [Date] }[]
  id: UserId
  tagged: Tagged
  either: 'a' | 1 | null | { kind: 'x' } | string[]
  record: Record<string, number>
  anything: any
  whatever: unknown
  object: object
  template: `${string}-${number}`
}
const ofEverything = remote(
  config,
  async (all: Everything, tree: Tree, contact: { name: string; message: string }) => ({
    all,
    tree,
    contact,
    failed: new RangeError('out only') as Error,
    causes: [new AggregateError([])],
  }),
)
same<Parameters<typeof ofEverything>[1], Tree>()
const ofEnum = remote(config, async (group: GpuGroup) =>
  group === GpuGroup.ADA_24 ? GpuType.NVIDIA_L4 : undefined,
)
same<ReturnType<typeof ofEnum>, Promise<'NVIDIA L4' | undefined>>()

// --- setup ---

interface Model {
  embed(text: string): number[]
}
const load = async (): Promise<Model> => ({ embed: () => [] })
const ofSetup = remote({ name: 'setup-type', setup: load }, async (text: string, model) => {
  same<typeof model, Model>()
  return model.embed(text)
})
same<Call<typeof ofSetup>, (text: string) => Promise<number[]>>()
const ofInlineSetup = remote({ setup: () => ({ started: 1 }) }, (file: File, state) => {
  same<typeof state, { started: number }>()
  return state.started
})
same<Call<typeof ofInlineSetup>, (file: File) => Promise<number>>()
const ofIgnoredState = remote({ setup: load }, async (text: string) => text)
same<Call<typeof ofIgnoredState>, (text: string) => Promise<string>>()
const ofNoInput = remote({ setup: load }, async () => 1)
same<Call<typeof ofNoInput>, () => Promise<number>>()
const ofOptionalInput = remote({ setup: load }, async (text: string | undefined, _model) => text)
same<Parameters<typeof ofOptionalInput>, [text: string | undefined]>()
const ofSetupTokens = remote({ setup: load }, async function* (text: string, model) {
  yield model.embed(text)
})
same<Call<typeof ofSetupTokens>, (text: string) => AsyncGenerator<number[], void, unknown>>()

// --- schemas ---

const query = z.object({
  text: z.string(),
  limit: z.coerce.number().default(10),
  since: z.string().transform((s) => new Date(s)),
})
const ofInput = remote({ input: query }, async (q) => {
  same<typeof q, { text: string; limit: number; since: Date }>()
  return q.limit
})
same<ReturnType<typeof ofInput>, Promise<number>>()
void ofInput({ text: 'a', since: '2026-01-01' })
void ofInput({ text: 'a', since: '2026-01-01', limit: '3' })
const ofBoth = remote(
  { input: v.object({ n: v.number() }), setup: load, output: z.object({ v: z.array(z.number()) }) },
  async (q, model) => {
    same<typeof q, { n: number }>()
    same<typeof model, Model>()
    return { v: model.embed(String(q.n)) }
  },
)
same<Call<typeof ofBoth>, (input: { n: number }) => Promise<{ v: number[] }>>()
const ofOutput = remote(
  { output: z.string().transform((text) => text.length) },
  (a: string, b: string) => a + b,
)
same<Call<typeof ofOutput>, (a: string, b: string) => Promise<number>>()
const ofOutputItems = remote({ output: z.coerce.date() }, async function* (from: number) {
  yield from
})
same<Call<typeof ofOutputItems>, (from: number) => AsyncGenerator<Date, void, unknown>>()
// What the schema makes of the input does not travel, so it may be anything.
const ofTransformed = remote(
  { input: z.string().transform((source) => new RegExp(source)) },
  async (pattern) => pattern.test('a'),
)
same<Call<typeof ofTransformed>, (input: string) => Promise<boolean>>()

// --- classes ---

class Base {
  inherited(n: number): number {
    return n
  }
}
class Chat extends Base {
  static made = 0
  static make() {
    return new Chat('a')
  }
  history: string[] = []
  #secret = 1
  private cache = new Map<string, () => void>()
  constructor(
    readonly model: string,
    options: { temperature?: number } = {},
  ) {
    super()
    void options
  }
  get size() {
    return this.cache.size + this.#secret
  }
  protected guarded() {}
  _internal() {}
  say(text: string, times?: number) {
    return this.history.concat(text).length + (times ?? 0)
  }
  async load(files: File[]): Promise<string[]> {
    return files.map((file) => file.name)
  }
  async echo<T>(value: T): Promise<T> {
    return value
  }
  async *tokens(prompt: string) {
    yield prompt
  }
  *numbers() {
    yield 1
  }
}
const RemoteChat = remote(config, Chat)
const chat = new RemoteChat('small', { temperature: 1 })
same<keyof typeof chat, 'inherited' | 'say' | 'load' | 'echo' | 'tokens' | 'numbers'>()
same<keyof typeof RemoteChat, never>()
same<Call<typeof chat.say>, (text: string, times?: number) => Promise<number>>()
same<Call<typeof chat.inherited>, (n: number) => Promise<number>>()
same<Call<typeof chat.load>, (files: File[]) => Promise<string[]>>()
same<ReturnType<typeof chat.tokens>, AsyncGenerator<string, void, unknown>>()
same<ReturnType<typeof chat.numbers>, AsyncGenerator<number, void, unknown>>()
same<ReturnType<typeof chat.load.run>, Promise<Job<string[]>>>()
const echoed: Promise<Date> = chat.echo(new Date())
const RemoteInline = remote(
  { name: 'inline' },
  class {
    #calls = 0
    private last = 0
    add(a: number, b: number) {
      this.#calls++
      return (this.last = a + b)
    }
    count() {
      return this.#calls + this.last
    }
  },
)
same<Call<InstanceType<typeof RemoteInline>['add']>, (a: number, b: number) => Promise<number>>()

// --- members ---

const bound = ofPlain.with({ timeoutMs: 100 }).with({ idempotencyKey: 'a' })
same<typeof bound, typeof ofPlain>()
declare const maybeSignal: AbortSignal | undefined
void ofPlain.with({ signal: maybeSignal, timeoutMs: undefined })
same<ReturnType<typeof ofGeneric.with>, typeof ofGeneric>()
const mapped: Promise<string[]> = ofPlain.map(['a', 'b'], { concurrency: 2 })
const settled: Promise<PromiseSettledResult<string>[]> = ofPlain.map(new Set(['a']), { settle: true })
const eitherWay: Promise<string[] | PromiseSettledResult<string>[]> = ofPlain.map(['a'], {
  settle: Boolean(1),
})
const allItems: Promise<number[][]> = ofCount.map([1, 2])
async function follow() {
  const job = await ofTokens.run('a')
  for await (const event of job) {
    if (event.type === 'item') same<typeof event.value, { token: string; at: Date }>()
    if (event.type === 'status') same<typeof event.id, string>()
  }
  for await (const item of job.stream()) same<typeof item, { token: string; at: Date }>()
}

// --- opting out ---

const withCallback = async (options: { onDone?: () => void }) => options.onDone?.()
const ofUnchecked = remote(config, unchecked(withCallback))
same<typeof ofUnchecked, typeof withCallback & Methods<typeof withCallback>>()
class WithFunction {
  run(task: () => void) {
    task()
  }
}
const RemoteUnchecked = remote(config, unchecked(WithFunction))
same<Parameters<InstanceType<typeof RemoteUnchecked>['run']>, [task: () => void]>()

// --- context ---

same<ReturnType<typeof getContext>, FlashContext>()

// --- config ---

const everything = {
  name: 'everything',
  gpu: ['NVIDIA L4', 'AMPERE_24', 'NVIDIA B300'],
  gpuCount: 2,
  allowedCudaVersions: ['12.8', '14.1'],
  workers: [1, 5],
  idleTimeoutSeconds: 3600,
  executionTimeoutMs: 604_800_000,
  scaling: { by: 'requestCount', requests: 2 },
  maxConcurrency: 4,
  flashboot: 'priority',
  dataCenters: ['EU-RO-1', 'XX-NEW-9'],
  volumes: [
    NetworkVolume({ name: 'a', dataCenter: 'EU-RO-1', sizeGb: 10 }),
    { kind: 'network', name: 'b', dataCenter: 'XX-NEW-9' },
  ],
  model: 'Qwen/Qwen3-0.6B:main',
  env: { PUBLIC: 'yes', HF_TOKEN: { secret: 'hf' } },
  dependencies: ['sharp@0.34.5'],
  systemDependencies: ['ffmpeg'],
  accelerateDownloads: false,
  image: 'owner/image:1',
  diskGb: 100,
  args: 'node main.mjs',
  ports: ['8080/http'],
  registryAuthId: 'reg',
  template: PodTemplate({ image: 'owner/base', env: ['NAME'] }),
  instances: 4,
  dev: { target: 'docker', workers: 2, keepWarm: true },
} satisfies EndpointConfig
void remote(everything, async () => 1)
void remote({ ...everything, name: 'other' }, async () => 1)
const shared: EndpointConfig = everything
void remote(shared, async () => 1)
const frozen = {
  cpu: 'cpu5c-4-8',
  diskGb: 60,
  env: ['TOKEN', 'RUNPOD_API_KEY'],
  scaling: { by: 'queueDelay', seconds: 0.5 },
} as const
void remote(frozen, async () => 1)
void remote({ cpu: ['cpu3g-2-8', 'cpu9z-16-32'] }, async () => 1)
void remote(
  { gpu: 'any', volumes: GlobalVolume({ name: 'shared' }), minCudaVersion: '12.8', allowedCudaVersions: [] },
  async () => 1,
)
void remote(
  { gpu: large ? 'NVIDIA L4' : GpuGroup.ADA_24, workers: Number('1'), name: String('abc') },
  async () => 1,
)
void remote({ gpu: [] as string[], env: [] as string[], cpu: undefined }, async () => 1)
void remote({ name: undefined, gpu: undefined, cpu: 'cpu3g-2-8' }, async () => 1)
void remote({}, async () => 1)

/** Exported, so that the declarations of such a module are checked too. */
export {
  RemoteChat,
  RemoteInline,
  RemoteUnchecked,
  ofBoth,
  ofGeneric,
  ofOverloads,
  ofTokens,
  ofUnchecked,
  allItems,
  byId,
  dates,
  echoed,
  eitherWay,
  follow,
  fromBytes,
  fromText,
  items,
  mapped,
  settled,
  strings,
}
