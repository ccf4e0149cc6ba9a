import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer, type Plugin, type RunnableDevEnvironment, type ViteDevServer } from 'vite'
import { readableFolders } from '../project.ts'
import { answerBare } from './bare-answer.ts'
import { answerParent, readInput } from './parent.ts'

export interface ViteInput {
  root: string
  /** The plugin, or what a person would write with Vite's module runner alone. */
  plugin: 'flash' | 'runner'
}

export interface ViteReady {
  url: string
}

const { root, plugin } = readInput<ViteInput>()
const plugins = plugin === 'flash' ? [(await import('unplugin-flash/vite')).flash()] : [callWithRunner()]
const server = await createServer({
  root,
  configFile: false,
  cacheDir: join(root, '.vite'),
  logLevel: 'error',
  plugins,
  server: { host: '127.0.0.1', port: 0, fs: { allow: readableFolders } },
})
answerBeforeVite(server)
await server.listen()
const { port } = server.httpServer!.address() as AddressInfo
answerParent({ url: `http://127.0.0.1:${port}` } satisfies ViteReady, () => server.close())

/** The shortest way from a request to a function of the project: one middleware and Vite's own module runner. */
function callWithRunner(): Plugin {
  return {
    name: 'bench:runner',
    configureServer({ middlewares, environments }) {
      const { runner } = environments.ssr as RunnableDevEnvironment
      middlewares.use('/call', (request: IncomingMessage, response: ServerResponse) => {
        let body = ''
        request.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        request.on('end', async () => {
          try {
            const module = (await runner.import('/src/functions.ts')) as {
              order(...args: unknown[]): Promise<unknown>
            }
            const text = JSON.stringify(await module.order(...(JSON.parse(body) as unknown[])))
            response.writeHead(200, {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(text),
            })
            response.end(text)
          } catch (error) {
            response.writeHead(500).end(String(error))
          }
        })
      })
    },
  }
}

/** Gives pages a plain server under their own origin, with nothing of Vite in between. */
function answerBeforeVite({ httpServer }: ViteDevServer): void {
  const others = httpServer!.listeners('request') as RequestListener[]
  httpServer!.removeAllListeners('request')
  httpServer!.on(
    'request',
    (request: IncomingMessage, response: ServerResponse & { req: IncomingMessage }) => {
      if (request.url?.startsWith('/bare/')) return void answerBare(request, response)
      for (const listener of others) listener(request, response)
    },
  )
}
