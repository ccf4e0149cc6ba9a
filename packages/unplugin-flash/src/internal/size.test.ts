import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'

const pathOf = (name: string) => JSON.stringify(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)))

interface Size {
  bytes: number
  gzip: number
  /** Files that something of is left of. */
  files: string[]
}

/** What the bundle of an endpoint has beside the author's code, minified, when that uses these of our names. */
async function measure({ define, calls }: { define: string; calls?: string }): Promise<Size> {
  const used = [define, calls].filter((name) => name !== undefined).join(', ')
  const code = [
    `import { startBundle } from ${pathOf('bundle')}`,
    `import { ${define} } from ${pathOf('define')}`,
    ...(calls ? [`import { ${calls} } from ${pathOf('calls')}`] : []),
    `export const made = [${used}]`,
    'startBundle({}, made)',
  ].join('\n')
  const bundle = await rolldown({
    input: 'entry',
    platform: 'node',
    transform: { target: 'node20.19' },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? '\0entry' : null),
        load: (id) => (id === '\0entry' ? code : null),
      },
    ],
  })
  const { output } = await bundle.generate({
    format: 'esm',
    codeSplitting: false,
    minify: true,
    comments: false,
  })
  await bundle.close()
  const [main] = output
  const size = {
    bytes: main.code.length,
    gzip: gzipSync(main.code).length,
    files: Object.entries(main.modules)
      .filter(([, { renderedLength }]) => renderedLength > 0)
      .map(([id]) => id.replaceAll('\\', '/')),
  }
  console.log(`bundle with ${used}: ${size.bytes} bytes, ${size.gzip} gzipped`)
  return size
}

const sockets = /\/(?:crossws|ws)\//

describe('a bundle carries what its functions need', () => {
  for (const [define, mostBytes, mostGzip] of [
    ['register', 114_000, 42_000],
    ['define', 136_000, 50_000],
    ['defineRoute', 163_000, 59_000],
    ['defineSocket', 221_000, 76_500],
  ] as const) {
    test(`${define}: at most ${mostBytes} bytes`, async () => {
      const { bytes, gzip, files } = await measure({ define })
      expect(bytes).toBeLessThanOrEqual(mostBytes)
      expect(gzip).toBeLessThanOrEqual(mostGzip)
      expect(files.some((file) => sockets.test(file))).toBe(define === 'defineSocket')
    })
  }
})

describe('a bundle with stubs of other endpoints carries the way that they take', () => {
  for (const [calls, mostBytes, isOpening] of [
    ['serverStub', 56_000, false],
    ['serverRoute', 38_000, false],
    ['serverWeb', 84_000, true],
    ['serverSocket', 84_000, true],
  ] as const) {
    test(`${calls}: at most ${mostBytes} bytes more, ${isOpening ? 'WebSockets included' : 'and no WebSockets'}`, async () => {
      const none = await measure({ define: 'define' })
      const { bytes, files } = await measure({ define: 'define', calls })
      expect(bytes - none.bytes).toBeLessThanOrEqual(mostBytes)
      expect(files.some((file) => sockets.test(file))).toBe(isOpening)
    })
  }
})
