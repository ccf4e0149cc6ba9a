/** The app most end-to-end tests run: every form of function, callable from the page as `flash.<name>`. */
export const appFiles: Record<string, string> = {
  'src/main.ts': `import { RemoteError } from 'unplugin-flash'
import * as basics from './basics.ts'
import * as trouble from './trouble.ts'
import { describe } from './stateful.ts'
import { Counter } from './counter.ts'
import { relay } from './relay.ts'
Object.assign(window, { flash: { ...basics, ...trouble, describe, Counter, relay }, RemoteError, marker: Math.random() })
document.querySelector('#app')!.textContent = 'ready'
`,
  'src/basics.ts': `import { getContext, remote, RemoteError } from 'unplugin-flash'
import { punctuate } from './text/punctuate.ts'
const shared = { name: 'basics', maxConcurrency: 8 }
let aborted = 'nothing'
export const greet = remote(shared, async (name: string, greeting = 'hello') => punctuate(greeting + ' ' + name))
export const sum = remote(shared, (...numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
export const echo = remote(shared, async (value: any) => value)
export const count = remote(shared, async function* (to: number, waitMs = 0) {
  for (let at = 1; at <= to; at++) {
    if (waitMs) await new Promise((resolve) => setTimeout(resolve, waitMs))
    yield at
  }
})
export const wait = remote(shared, async (ms: number) => {
  const { signal } = getContext()
  aborted = 'waiting'
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      aborted = 'aborted'
      reject(signal.reason)
    })
  })
  return 'waited'
})
export const lastAbort = remote(shared, async () => aborted)
export const steps = remote(shared, async (n: number) => {
  const { progress } = getContext()
  for (let at = 1; at <= n; at++) {
    progress({ done: at, of: n })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return 'done'
})
export const pid = remote(shared, async () => process.pid)
export const refuse = remote(shared, async (seats: number) => {
  throw new RemoteError('FULL', 'no seats left', { data: { seats, since: new Date(0) } })
})
export const broken = remote(shared, async () => {
  const nothing = undefined as any
  return nothing.field
})
`,
  'src/text/punctuate.ts': `import { mark } from './mark.ts'
export const punctuate = (text: string) => text + mark
`,
  'src/text/mark.ts': `export const mark = '!'
`,
  'src/stateful.ts': `import { remote } from 'unplugin-flash'
import { loadModel } from './model.ts'
let loaded = 0
export const describe = remote({ name: 'stateful', setup: async () => ({ model: await loadModel(), loaded: ++loaded, born: Math.random() }) }, async (question: string, state) => ({ answer: 'v1 ' + question, born: state.born, model: state.model }))
`,
  'src/model.ts': `export const loadModel = async () => 'model-1'
`,
  'src/counter.ts': `import { remote } from 'unplugin-flash'
export const Counter = remote({ name: 'counter' }, class {
  count: number
  constructor(start: number) { this.count = start }
  async add(n: number) { return (this.count += n) }
  async *upTo(n: number) { for (let at = this.count; at <= n; at++) yield at }
})
`,
  'src/relay.ts': `import { remote } from 'unplugin-flash'
import { greet } from './basics.ts'
export const relay = remote({ name: 'relay' }, async (name: string) => 'relayed: ' + (await greet(name)))
`,
  'src/trouble.ts': `import { remote } from 'unplugin-flash'
export const fine = remote({ name: 'trouble' }, async () => 'fine')
export const loop = remote({ name: 'looping', executionTimeoutMs: 5_000 }, async () => { for (;;) {} })
export const exit = remote({ name: 'exiting' }, async (code: number) => { console.log('about to leave'); process.exit(code) })
export const timer = remote({ name: 'timing' }, async () => { setTimeout(() => { throw new Error('from a timer') }, 10); await new Promise((resolve) => setTimeout(resolve, 5_000)) })
export const memory = remote({ name: 'hungry' }, async () => { const all: any[] = []; for (;;) all.push(new Array(1e6).fill(0.5)) })
`,
}
