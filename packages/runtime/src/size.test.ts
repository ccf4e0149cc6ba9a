import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type OutputChunk, rolldown } from 'rolldown'
import { expect, test } from 'vitest'

const entry = fileURLToPath(new URL('./index.ts', import.meta.url))

/** What a page costs that calls so many plain functions, in bytes after gzip: at once, and with all that is loaded later. */
async function measure(
  functions: number,
  more: string[] = [],
): Promise<{ eager: number; total: number; chunks: Record<string, number> }> {
  const stubs = [...Array.from({ length: functions }, (_, index) => `stub("${refOf(index)}")`), ...more]
  const modules: Record<string, string> = {
    app: [
      "import { route, socket, stub, web } from 'client'",
      ...stubs.map((stub, index) => `const f${index} = /*@__PURE__*/ ${stub}`),
      `page(${stubs.map((_, index) => `f${index}`).join(', ')})`,
    ].join('\n'),
    client: [
      `import { bindRoute, bindSocket, bindStub, bindWeb } from ${JSON.stringify(entry)}`,
      "export const stub = /*@__PURE__*/ bindStub('/_flash')",
      "export const route = /*@__PURE__*/ bindRoute('/_flash')",
      "export const web = /*@__PURE__*/ bindWeb('/_flash')",
      "export const socket = /*@__PURE__*/ bindSocket('/_flash')",
    ].join('\n'),
  }
  const bundle = await rolldown({
    input: 'app',
    platform: 'browser',
    plugins: [
      {
        name: 'app',
        resolveId: (id) => (Object.hasOwn(modules, id) ? `\0${id}` : null),
        load: (id) => modules[id.slice(1)] ?? null,
      },
    ],
  })
  const { output } = await bundle.generate({ format: 'es', minify: true, comments: false })
  await bundle.close()
  const chunks = output.filter((one): one is OutputChunk => one.type === 'chunk')
  const size = (chunk: OutputChunk) => gzipSync(chunk.code, { level: 9 }).length
  const first = chunks.find(({ isEntry }) => isEntry)!
  const atOnce = [first, ...chunks.filter(({ fileName }) => first.imports.includes(fileName))]
  const sum = (list: OutputChunk[]) => list.reduce((all, chunk) => all + size(chunk), 0)
  return {
    eager: sum(atOnce),
    total: sum(chunks),
    chunks: Object.fromEntries(chunks.map((chunk) => [chunk.name, size(chunk)])),
  }
}

/** Ids and tags are hashes: nothing in them repeats. */
function refOf(index: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  const hash = [...createHash('sha256').update(`function ${index}`).digest()]
    .map((byte) => letters[byte & 31])
    .join('')
  return `${hash.slice(0, 16)}.${hash.slice(16)}`
}

test('a page with one plain function loads at most 1,500 bytes at once', async () => {
  const { eager, total, chunks } = await measure(1)
  console.log(`client runtime, gzipped: ${eager} bytes at once, ${total} with everything`, chunks)
  expect(eager).toBeLessThanOrEqual(1_500)
  expect(total).toBeLessThanOrEqual(20_000)
})

test('each further function costs at most 30 bytes', async () => {
  const [few, many] = [await measure(1), await measure(101)]
  const each = (many.eager - few.eager) / 100
  console.log(`each further function, gzipped: ${each} bytes`)
  expect(each).toBeLessThanOrEqual(30)
})

test('a page with one route loads at most 2,500 bytes more, and most of the rest with its first call only', async () => {
  const route = `route("${refOf(0)}", "POST", "/resize/:width")`
  const [none, alone, plain, both] = [
    await measure(0),
    await measure(0, [route]),
    await measure(1),
    await measure(1, [route]),
  ]
  console.log(`a route, gzipped: ${alone.eager} bytes at once, ${alone.total} with everything`, alone.chunks)
  console.log(`a route beside a function, gzipped: ${both.eager - plain.eager} bytes more at once`)
  expect(alone.eager - none.eager).toBeLessThanOrEqual(500)
  expect(both.eager - plain.eager).toBeLessThanOrEqual(500)
  expect(alone.total).toBeLessThanOrEqual(19_500)
})

test('web apps and WebSockets load no more at once', async () => {
  const web = await measure(0, [`web("${refOf(0)}")`])
  const socket = await measure(0, [`socket("${refOf(0)}", "/live")`])
  expect(web.eager).toBeLessThanOrEqual(600)
  expect(socket.eager).toBeLessThanOrEqual(500)
})

test('a page without a call loads nothing', async () => {
  const { eager } = await measure(0)
  expect(eager).toBeLessThan(40)
})
