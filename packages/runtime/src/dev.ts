import {
  type LocalPlace,
  type LocalRuntime,
  type LocalServer,
  openPlace,
  type OpenServer,
  postInside,
  postOver,
  runtimesIn,
} from './nearby.ts'
import type { EndpointInfo, Post } from './types.ts'

/** Whether a dev server runs this process, or runs in it. A script beside one is on its own. */
export function isDeveloping(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NODE_ENV === 'production') return false
  return runtimesIn('unplugin-flash.dev').size > 0 || fromVariables(env) !== undefined
}

/** The dev server beside this code, whatever it runs: in this process, named by the environment, or of the project around the working directory. */
export function findDevPlace(env: Readonly<Record<string, string | undefined>>): LocalPlace | undefined {
  if (env.NODE_ENV === 'production') return undefined
  const { process } = globalThis as { process?: NodeJS.Process }
  const [runtime] = runtimesIn('unplugin-flash.dev').values()
  return runtime ?? fromVariables(env) ?? (process && fromFile(process))
}

/** The dev server that runs a function: in this process, named by the environment, or of the project around the working directory. */
export function findDev(id: string, info: EndpointInfo): Post | undefined {
  const place = findPlace(id, info)
  return place && ('fetch' in place ? postInside(place) : postOver(place))
}

/** Where that dev server listens. */
export function findDevServer(id: string, info: EndpointInfo): OpenServer | undefined {
  return openPlace(findPlace(id, info))
}

function findPlace(id: string, { root }: EndpointInfo): LocalPlace | undefined {
  const { process } = globalThis as { process?: NodeJS.Process }
  if (process?.env?.NODE_ENV === 'production') return undefined
  const runtimes = runtimesOf(root)
  // Without one that has it, the first looks through the project once more, and knows best how to say that there is none.
  return (
    runtimes.find((runtime) => runtime.has(id)) ??
    (process && (fromVariables(process.env) ?? fromFile(process))) ??
    runtimes[0]
  )
}

/** Two projects of one process may have functions of one id: their ids do not depend on where they are. */
function runtimesOf(root: string | undefined): LocalRuntime[] {
  const all = runtimesIn('unplugin-flash.dev')
  const own = root === undefined ? undefined : all.get(root)
  return own ? [own] : [...all.values()]
}

function fromVariables({
  FLASH_DEV_URL: url,
  FLASH_DEV_TOKEN: token,
}: Readonly<Record<string, string | undefined>>): LocalServer | undefined {
  return url && token ? { url, token } : undefined
}

/** `.flash/dev.json` of the working directory or a folder above it. */
function fromFile(process: NodeJS.Process): LocalServer | undefined {
  const fs = process.getBuiltinModule?.('node:fs')
  const path = process.getBuiltinModule?.('node:path')
  if (!fs || !path) return undefined
  let folder = process.cwd()
  for (;;) {
    const server = parseServer(readText(fs, path.join(folder, '.flash', 'dev.json')), process)
    if (server) return server
    const above = path.dirname(folder)
    if (above === folder) return undefined
    folder = above
  }
}

function readText(fs: typeof import('node:fs'), file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function parseServer(text: string, process: NodeJS.Process): LocalServer | undefined {
  try {
    const { url, token, pid } = JSON.parse(text)
    return typeof url === 'string' && typeof token === 'string' && isAlive(pid, process)
      ? { url, token }
      : undefined
  } catch {
    // Not there, or being written.
    return undefined
  }
}

function isAlive(pid: unknown, process: NodeJS.Process): boolean {
  if (typeof pid !== 'number' || !(pid > 0)) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // A process of another user may not be signalled, and runs.
    return (error as { code?: string }).code === 'EPERM'
  }
}
