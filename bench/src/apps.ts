import { readFileSync } from 'node:fs'

/** A file of this folder, for an app that does the same work. */
function ownFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

export const order = {
  customer: 'Ada',
  lines: [
    { article: 'tea', count: 2, price: 4.5 },
    { article: 'cup', count: 1, price: 12 },
  ],
}

/** One function that is called, one that says what its worker has used so far. */
export const callApp = (maxConcurrency: number) => ({
  'src/work.ts': ownFile('work.ts'),
  'src/main.ts': "import { order } from './functions.ts'\n\nconsole.debug(order)\n",
  'src/functions.ts': `import { remote } from 'unplugin-flash'
import { price, type Order } from './work.ts'

const bench = { name: 'bench', maxConcurrency: ${maxConcurrency} } as const

export const order = remote(bench, async (order: Order) => price(order))

export const used = remote(bench, async () => {
  const { user, system } = process.cpuUsage()
  return user + system
})
`,
})

/** The same work as a module that a middleware imports with Vite's module runner. */
export const runnerApp = {
  'src/work.ts': ownFile('work.ts'),
  'src/main.ts': '',
  'src/functions.ts': `import { price, type Order } from './work.ts'

export const order = async (order: Order) => price(order)
`,
}

/** A file whose function returns a number that each edit changes. */
export const editedFunction = {
  flash: (value: number) => `import { remote } from 'unplugin-flash'

const value = ${value}

export const order = remote({ name: 'bench' }, async () => value)
`,
  runner: (value: number) => `const value = ${value}

export const order = async () => value
`,
}

/** A mebibyte in, a mebibyte out; the page measures by itself and reports. */
export const bytesApp = {
  'src/payload.ts': ownFile('payload.ts'),
  'src/measure-bytes.ts': ownFile('measure-bytes.ts'),
  'src/functions.ts': `import { remote } from 'unplugin-flash'
import { createPayload, describeBytes } from './payload.ts'

const bench = { name: 'bench' } as const
const payload = createPayload()

export const up = remote(bench, async (bytes: Uint8Array) => describeBytes(bytes))

export const down = remote(bench, async () => payload)
`,
  'src/main.ts': `import { down, up } from './functions.ts'
import { createWays, measureBytes } from './measure-bytes.ts'

const samples = Number(new URLSearchParams(location.search).get('samples'))
const ways = createWays({ up, down }, location.origin)
const report = await measureBytes(ways, samples).catch((error) => ({ error: String(error) }))
await fetch('/bare/report', { method: 'POST', body: JSON.stringify(report) })
`,
}

/** Routes with the same little work, one that is slow, and one that counts the bytes it gets. */
export const routedApp = {
  'src/work.ts': ownFile('work.ts'),
  'src/main.ts': "import { order } from './routes.ts'\n\nconsole.debug(order)\n",
  'src/routes.ts': `import { endpoint } from 'unplugin-flash'
import { price, type Order } from './work.ts'

const api = endpoint({ name: 'bench', maxConcurrency: 1_000 })

export const order = api.post('/order', ({ body }) => price(body as Order))

export const slow = api.post('/slow', async () => {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return { done: true }
})

export const upload = api.post('/upload', async ({ request }) => {
  let bytes = 0
  for await (const chunk of request.body!) bytes += chunk.length
  return { bytes }
})
`,
}
