import { AppError } from '@flash/protocol'
import type { UnpluginOptions } from 'unplugin'
import type { PluginContext } from '../context.ts'
import { toHostError } from '../host-error.ts'
import { type BodyText, findBodyText, readBodyText } from '../leaks/bodies.ts'
import { describeChain, type ModuleGraph } from '../leaks/chain.ts'
import { findSecretIn, findSecrets } from '../leaks/secrets.ts'
import { consumerOf } from './transform.ts'

type Graph = ModuleGraph & { getModuleIds(): Iterable<string> }

/** A chunk or an asset, as Rollup and its kin hand them out. */
interface OutputFile {
  fileName: string
  code?: string
  map?: { sourcesContent?: (string | null)[] } | null
  modules?: Record<string, unknown>
  source?: string | Uint8Array
}

/** The last look at what a browser will get: nothing of a function, no secret, no file for servers. */
export function checkLeaks(context: PluginContext): UnpluginOptions {
  const generateBundle = {
    order: 'post' as const,
    async handler(this: object, _options: unknown, bundle: object) {
      if (context.command !== 'build' || context.testing) return
      if (consumerOf(context, this) === 'server') return
      const files = Object.values(bundle as Record<string, OutputFile>)
      for (const file of files)
        for (const id of Object.keys(file.modules ?? {})) context.clientModules.add(id)
      const leak = await findLeak(context, this as Graph, files)
      if (leak) throw toHostError(leak, context.root)
    },
  }
  const hooks = { generateBundle } as never
  return { name: 'flash:leaks', vite: hooks, rollup: hooks, rolldown: hooks }
}

async function findLeak(context: PluginContext, graph: Graph, files: OutputFile[]): Promise<AppError | null> {
  const serverFile = files.flatMap(({ modules }) => Object.keys(modules ?? {})).find(isForServers(context))
  if (serverFile) return tellServerFile(context, graph, serverFile)
  const secrets = await findSecrets(context)
  const bodies = await readBodyText(context)
  for (const file of files) {
    const text = textOf(file)
    const secret = text && findSecretIn(text, secrets)
    if (secret) return tellSecret(context, graph, file, secret, secrets)
    const [piece] = bodies.size > 0 ? findBodyText(context, graph, text, bodies) : []
    if (piece !== undefined) return tellBody(context, graph, file, piece, bodies)
  }
  return null
}

/** Files that say they are for servers; one with functions gives only stubs. */
function isForServers({ project }: PluginContext): (id: string) => boolean {
  return (id) =>
    /\.server\.[cm]?[jt]sx?$/.test(id) && !id.includes('/node_modules/') && !project.hasFunctions(id)
}

const TEXT = /\.(?:html?|[cm]?js|css|json|map|svg|txt|webmanifest|xml)$/

function textOf({ fileName, code, map, source }: OutputFile): string {
  if (code !== undefined) return [code, ...(map?.sourcesContent ?? [])].join('\n')
  if (source === undefined || !TEXT.test(fileName)) return ''
  return typeof source === 'string' ? source : new TextDecoder().decode(source)
}

async function tellServerFile(context: PluginContext, graph: Graph, id: string): Promise<AppError> {
  return toLeak(context, graph, id, {
    message: `${relativeTo(context, id)} is a file for servers and would be in the browser`,
    hint: 'import it only from code that runs on a server or in a remote function',
  })
}

async function tellSecret(
  context: PluginContext,
  graph: Graph,
  file: OutputFile,
  secret: string,
  secrets: Map<string, string>,
): Promise<AppError> {
  const id = holderOf(graph, file, (code) => findSecretIn(code, secrets) === secret)
  return toLeak(context, graph, id, {
    message: `${secret} would be in the browser, in ${file.fileName}`,
    hint: 'read it in a remote function or on a server; Vite writes variables with its prefix (VITE_) into pages',
  })
}

async function tellBody(
  context: PluginContext,
  graph: Graph,
  file: OutputFile,
  piece: string,
  bodies: BodyText,
): Promise<AppError> {
  const source = bodies.get(piece)!
  const id = holderOf(graph, file, (code) => code.includes(piece))
  return toLeak(context, graph, id, {
    message: `code of the functions in ${relativeTo(context, source)} would be in the browser, in ${file.fileName}: "${piece.slice(0, 60)}"`,
    hint: 'put plugins that change or copy sources behind flash(); an import with ?raw says that a page shall show the text',
  })
}

/** The module of a chunk that brings what was found. */
function holderOf(
  graph: Graph,
  { modules = {} }: OutputFile,
  holds: (code: string) => boolean,
): string | null {
  const own = Object.keys(modules).find((id) => holds(graph.getModuleInfo(id)?.code ?? ''))
  return own ?? [...graph.getModuleIds()].find((id) => holds(graph.getModuleInfo(id)?.code ?? '')) ?? null
}

async function toLeak(
  context: PluginContext,
  graph: Graph,
  id: string | null,
  { message, hint }: { message: string; hint: string },
): Promise<AppError> {
  const chain = id === null ? [] : await describeChain(context, graph, id)
  const way = chain.map((line) => `\n    ${line}`).join('')
  return new AppError('CLIENT_LEAK', { message: message + way, hint, data: { chain } })
}

function relativeTo({ root }: PluginContext, id: string): string {
  return id.startsWith(`${root}/`) ? id.slice(root.length + 1) : id
}
