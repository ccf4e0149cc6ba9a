import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AppError } from '@flash/protocol'
import type { UnpluginOptions } from 'unplugin'
import type { PluginContext } from '../context.ts'
import { toHostError } from '../host-error.ts'
import { type Bodies, createForeign, findBodyIn, readBodies, type WholeGraph } from '../leaks/bodies.ts'
import { describeChain } from '../leaks/chain.ts'
import { findBodyInMap, parseMap, type SourceTexts } from '../leaks/maps.ts'
import { stripMaps } from '../leaks/strip.ts'
import { findSecretIn, findSecrets, type Secret } from '../leaks/secrets.ts'
import { forget } from './build.ts'
import { consumerOf } from './transform.ts'

/** A chunk or an asset, as Rollup and its kin hand them out. */
interface OutputFile {
  fileName: string
  code?: string
  map?: SourceTexts | null
  modules?: Record<string, unknown>
  source?: string | Uint8Array
  /** Files that an asset is a copy of. */
  originalFileNames?: string[]
}

/** What a leak is, before it is known how it came about. */
interface Leak {
  message: string
  hint: string
  /** Whether the code of a module holds it. */
  holds?(code: string): boolean
  module?: string
}

/** The last look at what a browser will get: nothing of a function, no secret, no file for servers. */
export function checkLeaks(context: PluginContext): UnpluginOptions {
  const generateBundle = {
    order: 'post' as const,
    async handler(this: object, { dir }: { dir?: string }, bundle: object) {
      if (context.command !== 'build' || context.testing) return
      if (consumerOf(context, this) === 'server') return
      const files = Object.values(bundle as Record<string, OutputFile>)
      for (const { modules = {} } of files)
        for (const id of Object.keys(modules)) context.clientModules.add(id)
      if (context.project.functions().length === 0) return
      const outDir = resolve(context.root, dir ?? '.')
      stripMaps(context, outDir, files)
      const graph = this as WholeGraph
      const leak = await findLeak(context, graph, outDir, files)
      if (!leak) return
      await forget(context)
      throw toHostError(await explain(context, graph, leak), context.root)
    },
  }
  const hooks = { generateBundle } as never
  return { name: 'flash:leaks', vite: hooks, rollup: hooks, rolldown: hooks }
}

async function findLeak(
  context: PluginContext,
  graph: WholeGraph,
  outDir: string,
  files: OutputFile[],
): Promise<Leak | null> {
  const module = files.flatMap(({ modules }) => Object.keys(modules ?? {})).find(isForServers(context))
  if (module) return tellServerFile(context, module)
  const secrets = await findSecrets(context)
  const bodies = await readBodies(context)
  const foreign = createForeign(context, graph)
  for (const file of files) {
    const text = textOf(file)
    const secret = findSecretIn(text, secrets)
    if (secret) return tellSecret(file.fileName, secret, secrets)
    const body = findBody(context, outDir, file, text, bodies, foreign)
    if (body) return tellBody(context, file.fileName, body)
  }
  return findInPublic(context, secrets)
}

/** Files that say they are for servers; one with functions gives only stubs. */
function isForServers({ project }: PluginContext): (id: string) => boolean {
  return (id) =>
    /\.server\.[cm]?[jt]sx?$/.test(id) && !id.includes('/node_modules/') && !project.hasFunctions(id)
}

const TEXT = /\.(?:html?|[cm]?js|css|json|map|svg|txt|webmanifest|xml)$/
const CODE = /\.[cm]?js$/

function textOf({ fileName, code, map, source }: OutputFile): string {
  if (code !== undefined) return [code, ...(map?.sourcesContent ?? [])].join('\n')
  if (source === undefined || !TEXT.test(fileName)) return ''
  return typeof source === 'string' ? source : new TextDecoder().decode(source)
}

/** Looks at programs and their maps: pages, styles and pictures may say by chance what a function says. */
function findBody(
  { root, project }: PluginContext,
  outDir: string,
  { fileName, code, map, originalFileNames = [] }: OutputFile,
  text: string,
  bodies: readonly Bodies[],
  foreign: (pieces: string[]) => string[],
): { file: string; piece: string } | null {
  const copied = originalFileNames.map((name) => resolve(root, name)).find((one) => project.hasFunctions(one))
  if (copied) return { file: copied, piece: 'the whole file' }
  const inMap = map ?? (fileName.endsWith('.map') ? parseMap(text) : null)
  const found = inMap && findBodyInMap(inMap, dirname(join(outDir, fileName)), bodies)
  if (found) return found
  return code !== undefined || CODE.test(fileName) ? findBodyIn(code ?? text, bodies, foreign) : null
}

/** Files that are served as they are; what somebody put there by hand may be a key. */
async function findInPublic(context: PluginContext, secrets: readonly Secret[]): Promise<Leak | null> {
  const { publicDir } = context
  if (!publicDir) return null
  const entries = await readdir(publicDir, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile() || !TEXT.test(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    const secret = findSecretIn(await readFile(file, 'utf8'), secrets)
    if (secret) return tellSecret(relativeTo(context, file), secret, secrets)
  }
  return null
}

function tellServerFile(context: PluginContext, module: string): Leak {
  return {
    message: `${relativeTo(context, module)} is a file for servers and would be in the browser`,
    hint: 'import it only from code that runs on a server or in a remote function',
    module,
  }
}

function tellSecret(where: string, secret: string, secrets: readonly Secret[]): Leak {
  return {
    message: `${secret} would be in the browser, in ${where}`,
    hint: 'read it in a remote function or on a server; Vite writes variables with its prefix (VITE_) into pages',
    holds: (code) => findSecretIn(code, secrets) === secret,
  }
}

function tellBody(
  context: PluginContext,
  where: string,
  { file, piece }: { file: string; piece: string },
): Leak {
  return {
    message: `code of the functions in ${relativeTo(context, file)} would be in the browser, in ${where}: "${piece.slice(0, 60)}"`,
    hint: 'import the file as a module, not by its address, and put plugins that copy sources behind flash(); an import with ?raw says that a page shall show the text',
    holds: (code) => code.includes(piece),
  }
}

async function explain(context: PluginContext, graph: WholeGraph, leak: Leak): Promise<AppError> {
  const { message, hint, holds = () => false } = leak
  const holder = [...graph.getModuleIds()].find((id) => holds(graph.getModuleInfo(id)?.code ?? ''))
  const id = leak.module ?? holder
  const chain = id === undefined ? [] : await describeChain(context, graph, id)
  const way = chain.map((line) => `\n    ${line}`).join('')
  return new AppError('CLIENT_LEAK', { message: message + way, hint, data: { chain } })
}

function relativeTo({ root }: PluginContext, id: string): string {
  return id.startsWith(`${root}/`) ? id.slice(root.length + 1) : id
}
