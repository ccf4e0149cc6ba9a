import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsdown'
import manifest from './package.json' with { type: 'json' }

const here = dirname(fileURLToPath(import.meta.url))

// Small libraries travel inside, as the rooms do; whatever package.json names as a dependency stays outside.
const inside = [
  '@rollup/plugin-commonjs',
  '@rollup/plugin-json',
  '@rollup/plugin-node-resolve',
  '@rollup/pluginutils',
  '@standard-schema/spec',
  '@yarnpkg/parsers',
  'citty',
  'commondir',
  'crossws',
  'deepmerge',
  'devalue',
  'es-errors',
  'estree-walker',
  'fdir',
  'function-bind',
  'get-tsconfig',
  'graphql',
  'h3',
  'hasown',
  'ignore',
  'is-core-module',
  'is-module',
  'is-reference',
  'js-yaml',
  'path-parse',
  'picomatch',
  'resolve',
  'resolve-pkg-maps',
  'rou3',
  'srvx',
]

export default defineConfig({
  cwd: here,
  entry: {
    index: 'src/index.ts',
    vite: 'src/vite.ts',
    rollup: 'src/rollup.ts',
    rolldown: 'src/rolldown.ts',
    client: 'src/client.ts',
    page: 'src/page.ts',
    server: 'src/server.ts',
    worker: 'src/worker.ts',
    cli: 'src/cli.ts',
    emulator: 'src/emulator.ts',
    'internal/worker': 'src/internal/worker.ts',
    'internal/inline': 'src/internal/inline.ts',
    'internal/bundle': 'src/internal/bundle.ts',
    'internal/calls': 'src/internal/calls.ts',
    'internal/gateway': 'src/internal/gateway.ts',
    'internal/define': 'src/internal/define.ts',
    'internal/app': 'src/internal/app.ts',
    'internal/local': 'src/internal/local.ts',
  },
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  outExtensions: () => ({ js: '.mjs', dts: '.d.mts' }),
  dts: true,
  deps: {
    onlyBundle: inside,
    onlyImport: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  },
  plugins: [
    { name: 'licenses', generateBundle: emitLicenses },
    { name: 'docs', generateBundle: emitDocsFiles },
  ],
  checks: { pluginTimings: false },
  clean: true,
  logLevel: 'warn',
  failOnWarn: true,
  suppressWarnings: 'TypeScript 7.0 does not yet have a stable API',
})

interface Emitter {
  emitFile(file: { type: 'asset'; fileName: string; source: string }): unknown
}

/** What the page with the documentation loads, as its makers publish it. */
function emitDocsFiles(this: Emitter) {
  const folder = join(here, '../../node_modules/swagger-ui-dist')
  const files = [
    'swagger-ui-bundle.js',
    'swagger-ui-bundle.js.LICENSE.txt',
    'swagger-ui.css',
    'LICENSE',
    'NOTICE',
  ]
  for (const file of files) {
    const source = readFileSync(join(folder, file), 'utf8')
    // Nobody gets the maps that the files name.
    const withoutMap = source.replace(
      /\n?(?:\/\/# sourceMappingURL=\S+|\/\*# sourceMappingURL=\S+ ?\*\/)\s*$/,
      '',
    )
    this.emitFile({ type: 'asset', fileName: `docs/${file}`, source: withoutMap })
  }
}

/** The licences of what travels inside ask to be passed on with it. */
function emitLicenses(this: Emitter) {
  const sections = inside.map((name) => `## ${name}\n\n${readLicense(name)}\n`)
  const source = `# Licences of the libraries bundled in this package\n\n${sections.join('\n')}`
  this.emitFile({ type: 'asset', fileName: 'LICENSES.md', source })
}

/** A library without a licence file says in its manifest which one it has. */
function readLicense(name: string) {
  const folder = join(here, '../../node_modules', name)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file) return readFileSync(join(folder, file), 'utf8').trim()
  const { license, author, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (!license) throw new Error(`${name} has no licence in ${folder}`)
  const owner = author?.name ?? author ?? repository?.url ?? repository ?? name
  return `${license}, copyright of ${owner}`
}
