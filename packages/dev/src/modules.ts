import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { Project } from '@flash/compiler'
import { AppError, type FunctionFact, type SourcePosition } from '@flash/protocol'
import type { DevEnvironment, EnvironmentModuleNode } from 'vite'

/** Serves the user's modules to workers, through Vite's pipeline. */
export interface ModuleServer {
  fetchModule(endpointKey: string, url: string, importer?: string, options?: FetchOptions): Promise<unknown>
  builtins(): unknown
  /** Changes exactly when the code `setup` is made of changed, however far away. */
  setupHash(functionId: string): Promise<string>
  /** What a worker imports to get a function. */
  moduleOf(fact: FunctionFact, endpointKey: string): string
  /** Told about each module that could not be served, and about the first success after it. */
  onProblem(listener: (error: AppError | null) => void): void
}

interface FetchOptions {
  cached?: boolean
  startOffset?: number
}

interface ModuleServerOptions {
  root: string
  environment: DevEnvironment
  project: Project
}

export function createModuleServer({ root, environment, project }: ModuleServerOptions): ModuleServer {
  let tell: (error: AppError | null) => void = () => {}
  let broken = false
  const report = (error: AppError | null) => {
    if (error || broken) tell(error)
    broken = error !== null
  }
  return {
    async fetchModule(endpointKey, url, importer, options) {
      try {
        const result = await environment.fetchModule(
          withEndpoint(url, endpointKey, root, project),
          importer,
          options,
        )
        report(null)
        return result
      } catch (error) {
        const known = url.includes('#') ? unreadable(url, root) : toModuleError(error, root)
        report(known)
        throw known
      }
    },
    builtins: () =>
      environment.config.resolve.builtins.map((one) =>
        typeof one === 'string'
          ? { type: 'string', value: one }
          : { type: 'RegExp', source: one.source, flags: one.flags },
      ),
    async setupHash(functionId) {
      const source = project.setupSource(functionId)
      if (!source) return ''
      const hash = createHash('sha256')
      await addModule(environment, `${urlOf(source.file, root)}?flash-setup=${functionId}`, hash, new Set())
      return hash.digest('hex')
    },
    moduleOf: (fact, endpointKey) => `${urlOf(fact.file, root)}?flash=${endpointKey}`,
    onProblem: (listener) => void (tell = listener),
  }
}

/** Modules with remote functions are compiled for the endpoint that asks: its own bodies stay, calls to others go out. */
function withEndpoint(url: string, endpointKey: string, root: string, project: Project): string {
  if (url.includes('?')) return url
  const file = fileOf(url, root)
  return file && project.hasFunctions(file) ? `${urlOf(file, root)}?flash=${endpointKey}` : url
}

function fileOf(url: string, root: string): string | null {
  if (url.startsWith('file://')) return fileURLToPath(url)
  if (url.startsWith('/@fs/')) return resolve(url.slice(process.platform === 'win32' ? 5 : 4))
  if (url.startsWith(`${root}/`)) return url
  return url.startsWith('/') && !url.startsWith('/@') ? resolve(root, `.${url}`) : null
}

export function urlOf(file: string, root: string): string {
  const posix = file.replaceAll('\\', '/')
  // Module ids are no URLs: nothing in them is percent-encoded.
  return posix.startsWith(`${root}/`) ? posix.slice(root.length) : `/@fs/${posix.replace(/^\//, '')}`
}

async function addModule(
  environment: DevEnvironment,
  url: string,
  hash: ReturnType<typeof createHash>,
  seen: Set<string>,
): Promise<void> {
  if (seen.has(url)) return
  seen.add(url)
  const result = await environment.transformRequest(url)
  // Which function asks is in the address, and says nothing about the code.
  hash.update(url.replace(/\?flash-setup=.*$/, '')).update(result?.code.replace(/[?&]t=\d+/g, '') ?? '')
  const module = await environment.moduleGraph.getModuleByUrl(url)
  const next = [...(module?.importedModules ?? [])] as EnvironmentModuleNode[]
  for (const one of next.sort((a, b) => (a.url < b.url ? -1 : 1))) {
    if (one.file) await addModule(environment, one.url, hash, seen)
  }
}

interface ViteError extends Error {
  id?: string
  loc?: { file?: string; line: number; column: number }
  frame?: string
}

/** An error of Vite's pipeline in our terms: code, file, line, column and next step. */
export function toModuleError(error: unknown, root: string): AppError {
  const ours = [error, (error as Error | null)?.cause].find((one) => one instanceof AppError)
  if (ours) return withPlace(ours)
  const { message, frame } = error as ViteError
  const missing = /^(?:Cannot find (?:module|package)|Failed to resolve import) ['"]([^'"]+)['"]/.exec(
    message,
  )?.[1]
  if (missing && /^[@\w]/.test(missing))
    return notInstalled(missing, message.replaceAll(`${root}/`, ''), error)
  return withPlace(
    new AppError('MODULE_FAILED', {
      message: stripVTControlCharacters(message.replaceAll(`${root}/`, '')),
      hint: 'correct the file and save it; the next call picks it up',
      at: placeOf(error as ViteError, root),
      frame: frame && stripVTControlCharacters(frame),
      cause: error,
    }),
  )
}

function placeOf({ id, loc }: ViteError, root: string): SourcePosition | undefined {
  const file = (loc?.file ?? id)?.replace(/\?.*$/, '').replace(`${root}/`, '')
  return file && loc ? { file, line: loc.line, column: loc.column + 1 } : undefined
}

/** Errors travel to the worker and back; what is in `data` travels along. */
function withPlace(error: AppError): AppError {
  const { code, message, hint, at, frame, cause } = error
  return new AppError(code, { message, hint, at, frame, cause, data: { at, frame } })
}

/** A name that no import of Vite's reaches. */
function unreadable(url: string, root: string): AppError {
  const file = (fileOf(url.replace(/\?.*$/, ''), root) ?? url).replace(`${root}/`, '')
  return withPlace(
    new AppError('MODULE_FAILED', {
      message: `${file} cannot be loaded while developing: Vite takes # for the end of a path`,
      hint: 'rename the file or its folder',
      at: { file, line: 1, column: 1 },
    }),
  )
}

function notInstalled(specifier: string, message: string, cause: unknown): AppError {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return new AppError('DEPENDENCY_NOT_INSTALLED', {
    message: stripVTControlCharacters(message),
    hint: `run: npm install ${name}`,
    cause,
  })
}
