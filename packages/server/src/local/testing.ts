import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import {
  type BundleInfo,
  decodeValue,
  FrameType,
  fromWireError,
  type Manifest,
  type ManifestEndpoint,
  type ManifestFunction,
  type Message,
  parseEndpointConfig,
} from '@flash/protocol'
import { build } from 'esbuild'
import type { RpcBackend } from '../backend.ts'
import type { CallEnvelope } from '../envelope.ts'

const repository = resolve(import.meta.dirname, '../../../..')

export interface BuiltEndpoint {
  /** The module with its functions, by their ids as `idOf` makes them. */
  code: string
  functions: ManifestFunction[]
  /** `queue` when omitted. */
  kind?: ManifestEndpoint['kind']
  config?: Record<string, unknown>
  externals?: ManifestEndpoint['externals']
  /** Stands for the digest of its bundle: one hexadecimal digit. */
  hash?: string
}

export interface BuiltProject {
  root: string
  folder: string
  write(file: string, text: string): void
  /** Bundles endpoints again, and writes their manifest. */
  build(endpoints: Record<string, BuiltEndpoint>): Promise<Manifest>
  remove(): void
}

/** A project in a folder of its own, whose build is made of real bundles. */
export function createBuiltProject(): BuiltProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-bundles-')))
  const folder = join(root, '.flash/build')
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return {
    root,
    folder,
    write,
    async build(endpoints) {
      const manifest = toManifest(endpoints)
      for (const [name, endpoint] of Object.entries(endpoints)) {
        write(`src/${name}.ts`, moduleOf(endpoint.code))
        write(`entry/${name}.ts`, entryOf(name, manifest.endpoints[name]!))
        await bundle(join(root, `entry/${name}.ts`), join(folder, name, 'main.mjs'), endpoint)
      }
      write('.flash/build/flash_manifest.json', JSON.stringify(manifest))
      return manifest
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** Sixteen letters that begin with the name. */
export const idOf = (name: string) => name.toLowerCase().padEnd(16, 'x')

/** A web app; its module says `web(name, …)`. */
export function webOf(name: string): ManifestFunction {
  return { ...functionOf(name), kind: 'web', callables: [] }
}

export function functionOf(name: string, params: string[] = []): ManifestFunction {
  const known = params.map((param) => ({ name: param, kind: 'plain' as const, optional: true }))
  return {
    id: idOf(name),
    path: `src/${name}.ts`,
    prefix: name,
    exportPath: name,
    kind: 'function',
    callables: [{ name, kind: 'function', params: known }],
    constructorParams: null,
    hasInput: false,
    hasOutput: false,
    setup: null,
    source: `src/${name}.ts:1`,
  }
}

const imports = [
  "import { define as __flash_define } from 'unplugin-flash/internal/define'",
  "import { defineWeb as __flash_defineWeb } from 'unplugin-flash/internal/routes'",
].join('; ')

/** Of one line, so that tests can tell on which line of the module their code is. */
const helpers = [
  "const define = (name, body) => __flash_define(__flash_functions, name.padEnd(16, 'x'), {}, body)",
  "const web = (name, body) => __flash_defineWeb(__flash_functions, name.padEnd(16, 'x'), {}, body)",
].join('; ')

function moduleOf(code: string): string {
  return `${imports}
import { serverStub } from 'unplugin-flash/client'
const __flash_functions = Object.create(null)
${helpers}
${code}
export { __flash_functions }
void serverStub
`
}

function entryOf(endpoint: string, { functions, config }: ManifestEndpoint): string {
  const { maxConcurrency, instances, executionTimeoutMs } = config
  const limits = { maxConcurrency, instances, executionTimeoutMs }
  const info: BundleInfo = { endpoint, wireVersion: 1, node: 20, ...limits, functions }
  return `import { startBundle } from 'unplugin-flash/internal/bundle'
import { __flash_functions as f0 } from '../src/${endpoint}.ts'
startBundle(${JSON.stringify(info)}, [f0])
`
}

async function bundle(entry: string, outfile: string, { externals = [] }: BuiltEndpoint): Promise<void> {
  const source = (path: string) => join(repository, path)
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    logLevel: 'silent',
    external: externals.map(({ name }) => name),
    alias: {
      'unplugin-flash/internal/bundle': source('worker/src/bundle/main.ts'),
      'unplugin-flash/internal/define': source('worker/src/execute/define.ts'),
      'unplugin-flash/internal/routes': source('worker/src/routes/define.ts'),
      'unplugin-flash/client': source('packages/runtime/src/index.ts'),
    },
    nodePaths: [source('node_modules')],
  })
}

function toManifest(endpoints: Record<string, BuiltEndpoint>): Manifest {
  const built = Object.entries(endpoints).map(([name, endpoint]): [string, ManifestEndpoint] => [
    name,
    {
      kind: endpoint.kind ?? 'queue',
      functions: endpoint.functions,
      config: parseEndpointConfig({ name, ...endpoint.config }, () => undefined, { kind: endpoint.kind }),
      configHash: '0'.repeat(64),
      bundle: { hash: (endpoint.hash ?? '0').repeat(64), bytes: 1, gzipBytes: 1, files: [] },
      externals: endpoint.externals ?? [],
      calls: [],
    },
  ])
  return { schemaVersion: 1, app: 'test', wireVersion: 1, node: 20, endpoints: Object.fromEntries(built) }
}

/** Runs one call to its end: its value, or what it fails with. */
export async function runCall(
  backend: RpcBackend,
  name: string,
  args: unknown[] = [],
  more: Partial<CallEnvelope> = {},
): Promise<unknown> {
  const job = await backend.submit(idOf(name), { args, ...more })
  const last = await new Promise<Message>((resolve) =>
    job.listen(0, (message) => {
      if ([FrameType.value, FrameType.error, FrameType.end].includes(message.type as never)) resolve(message)
    }),
  )
  const value = last.text && decodeValue(last.rich, last.text, last.parts, { direction: 'out' })
  if (last.type === FrameType.error) throw fromWireError(value as never)
  return value
}
