import type { DevLog, DevServer } from '@flash/dev'
import { AppError, runsInServer } from '@flash/protocol'
import type { Logger, ViteDevServer } from 'vite'
import { withColours } from './colours.ts'
import type { PluginContext } from './context.ts'
import { printError } from './host-error.ts'
import { alignRows } from './table.ts'

type RouteTable = ReturnType<DevServer['routes']>

/** The dev server's words go to Vite's logger; what does not compile also goes to the overlay of open pages. */
export function createLog(server: ViteDevServer): DevLog {
  const { logger } = server.config
  let shown: string | null = null
  return {
    output: createOutput(logger),
    error: (error) =>
      logger.error(printError(error), { timestamp: true, error: error instanceof Error ? error : undefined }),
    problem(error) {
      const text = error && printError(error)
      // Each call of a broken module tells the same again.
      if (text !== null && text !== shown) logger.error(text, { timestamp: true })
      if (text !== null || shown !== null) showOverlay(server, error)
      shown = text
    },
  }
}

/** What workers print, line by line, with the name of their endpoint. */
export function createOutput(logger: Logger): DevLog['output'] {
  return (endpoint, stream, text) => {
    for (const line of withColours(text, stream).replace(/\n$/, '').split('\n')) {
      const shown = `${endpoint} | ${line}`
      if (stream === 'stderr') logger.warn(shown)
      else logger.info(shown)
    }
  }
}

/** Shows an error over open pages, or takes it away. */
function showOverlay(server: ViteDevServer, error: AppError | null): void {
  const { hot } = server.environments.client
  // An empty update takes an overlay away; sent before an error, it keeps a page from reloading at the next one.
  hot.send({ type: 'update', updates: [] })
  if (!error) return
  const { at, frame, hint } = error
  const message = [`${error.code}: ${error.message}`, hint].filter(Boolean).join('\n')
  hot.send({
    type: 'error',
    err: {
      message,
      stack: '',
      frame,
      id: at?.file,
      loc: at && { file: at.file, line: at.line, column: at.column },
      plugin: 'unplugin-flash',
    },
  })
}

/** Every function with its address, printed once the server listens. */
export function printTable(server: ViteDevServer, table: RouteTable, context: PluginContext): void {
  const { logger } = server.config
  const { target, isolation } = context.options
  const how = {
    process: 'a process for each endpoint',
    thread: 'a thread for each endpoint',
    none: 'inside the dev server',
  }[isolation]
  logger.info(
    `\n  flash  target ${target}: functions run on this machine (${how}), no account, nothing is billed`,
  )
  logger.info(
    "         gpu, cpu, data centres, CUDA, flashboot and min workers are ignored here; this machine's own GPU is visible",
  )
  printRoutes(logger, table, context.prefix, target)
  for (const warning of context.project.warnings()) logger.warn(printError(warning))
  for (const problem of [...context.project.problems(), ...table.problems]) logger.error(printError(problem))
  logger.info('')
}

/** Where each function, route and web app answers programs. */
export function printRoutes(
  logger: Pick<Logger, 'info'>,
  table: Pick<RouteTable, 'routes' | 'balanced'>,
  prefix: string,
  target: string,
): void {
  const long = table.routes.filter(({ short }) => !short)
  const queues = long.map(({ path, fact, callable }) => [
    'POST',
    `${prefix}/${path.split('/').map(encodeURIComponent).join('/')}/run_sync`,
    fact.kind === 'class' ? `${fact.exportPath}.${callable.name}` : fact.exportPath,
    `${fact.at.file}:${fact.at.line}`,
    callable.kind,
    target,
  ])
  const balanced = table.balanced.map(({ method, path, fact }) => [
    method,
    `${prefix}/${path}`,
    fact.name ?? (fact.route ? fact.exportPath.split('.', 1)[0]! : fact.exportPath),
    `${fact.at.file}:${fact.at.line}`,
    method === 'WS' ? 'socket' : fact.kind,
    runsInServer(fact) ? 'the app' : target,
  ])
  const rows = [...queues, ...balanced]
  if (rows.length === 0) logger.info('  flash  no remote functions found yet')
  for (const line of alignRows([['method', 'path', 'function', 'source', 'kind', 'target'], ...rows]))
    logger.info(`  ${line}`)
  for (const { path, shadowed } of table.balanced)
    for (const line of shadowed)
      logger.info(`         ${prefix}/${path} does not get ${line.replace(' ', ` ${prefix}/`)}`)
}
