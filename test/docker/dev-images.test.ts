import { join } from 'node:path'
import { buildBaseImage, connectEngine, describeBaseImage } from '@flash/emulator/launchers'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDocker } from '../helpers/docker.ts'
import { createProject, type Project, repository } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

const docker = await openDocker()

if (typeof docker === 'string') {
  console.warn(docker)
  test(docker, () => expect(process.env.FLASH_TESTS).not.toBe('all'))
} else describe('endpoints with an image, while developing', testImages)

const image = 'own-image:1'

/** A worker that somebody wrote by hand. */
const worker = `import { start } from 'unplugin-flash/worker'
const [, , kind] = process.argv
if (kind === 'ends') {
  console.log('no weights at /models')
  process.exit(3)
}
console.log('worker of kind', kind)
const handler = async ({ input }, { progress }) => {
  progress('half')
  return { text: input.text.toUpperCase(), token: process.env.TOKEN, pid: process.pid }
}
const fetch = async (request) => Response.json({ method: request.method, url: new URL(request.url).pathname, body: await request.text() })
await start(kind === 'queue' ? { handler } : { fetch })
`

const files = {
  '.env.local': 'OWN_TOKEN=planted-token\n',
  'vite.config.ts': `import { flash } from 'unplugin-flash/vite'
export default {
  cacheDir: '.vite',
  plugins: [flash(), {
    name: 'server-code',
    configureServer(server) {
      server.middlewares.use('/server', async (_request, response) => {
        const { askServer } = await server.ssrLoadModule('/src/server.ts')
        response.end(JSON.stringify(await askServer().catch(({ code, message }) => ({ code, message }))))
      })
    },
  }],
  server: { host: '127.0.0.1', fs: { allow: ['.', ${JSON.stringify(repository)}] } },
}
`,
  'src/images.ts': `import { endpoint } from 'unplugin-flash'
export const words = endpoint<{ text: string }, { text: string; token: string; pid: number }>({
  name: 'words', image: '${image}', cpu: 'cpu3c-2-4', args: 'node /app/worker.mjs queue', env: { TOKEN: { secret: 'OWN_TOKEN' } },
})
export const site = endpoint({ name: 'site', image: '${image}', cpu: 'cpu3c-2-4', args: 'node /app/worker.mjs balanced' })
export const ends = endpoint({ name: 'ends', image: '${image}', cpu: 'cpu3c-2-4', args: 'node /app/worker.mjs ends' })
`,
  'src/shout.ts': `import { remote } from 'unplugin-flash'
import { ends, words } from './images.ts'
export const shout = remote({ name: 'shout' }, async (text: string) => words.runSync({ text }))
export const fail = remote({ name: 'fail' }, async () => ends.run({}))
`,
  'src/server.ts': `import { site } from './images.ts'
export const askServer = () => site.post('/items', { body: 'a text' })
`,
  'src/main.ts': '',
}

function testImages() {
  const engine = docker as Exclude<typeof docker, string>
  let project: Project
  let vite: ViteProcess | undefined

  beforeAll(async () => {
    project = createProject(files)
    const bundled = await build({
      stdin: { contents: worker, resolveDir: project.root },
      bundle: true,
      format: 'esm',
      platform: 'node',
      write: false,
      banner: {
        js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
      },
    })
    const { entries } = await describeBaseImage()
    const text = bundled.outputFiles[0]!.text
    const app = [{ path: '/app/worker.mjs', mode: 0o644, text }]
    await buildBaseImage(await connectEngine(), { name: image, entries: [...entries, ...app] })
  })
  afterAll(async () => {
    await vite?.stop()
    project?.remove()
    await engine.close()
  })

  const count = async () => {
    const filters = { label: ['unplugin-flash.emulator'] }
    return (await (await connectEngine()).listContainers({ all: true, filters })).length
  }
  const call = async (path: string, input: object) => {
    const response = await fetch(`${vite!.url}/_flash/shout/${path}/runsync`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input }),
    })
    return response.json()
  }
  const askServer = async () => (await fetch(`${vite!.url}/server`)).json()

  test('a remote function runs jobs in one, whose lines are in the terminal', async () => {
    vite = await startVite(project)
    const first = await call('shout', { text: 'hi' })
    expect(first).toMatchObject({ status: 'COMPLETED', output: { text: 'HI', token: 'planted-token' } })
    const second = await call('shout', { text: 'again' })
    expect(second.output).toMatchObject({ text: 'AGAIN', pid: first.output.pid })
    expect(vite.output()).toContain('words | worker of kind queue')
    expect(await count()).toBe(1)
  })

  test('server code sends requests to another', async () => {
    expect(await askServer()).toEqual({ method: 'POST', url: '/items', body: 'a text' })
    expect(vite!.output()).toContain('site | worker of kind balanced')
    expect(await count()).toBe(2)
  })

  test('one that ends at its start is an error with what it printed', async () => {
    const { status, error } = await call('fail', {})
    expect(status).toBe('FAILED')
    expect(error).toContain('IMAGE_FAILED')
    expect(error).toContain('ended with exit code 3; its last output:')
    expect(error).toContain('no weights at /models')
    expect(vite!.output()).toContain('ends | no weights at /models')
    await expect.poll(count).toBe(2)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`the end of the dev server by ${signal} is that of its containers`, async () => {
      vite ??= await startVite(project)
      await askServer()
      expect(await count()).toBeGreaterThan(0)
      await vite.stop(signal)
      expect(vite.output()).not.toMatch(/"(words|site)": the container/)
      vite = undefined
      await expect.poll(count).toBe(0)
    })

  test('without an engine the call says what it takes', async () => {
    vite = await startVite(project, [], { DOCKER_HOST: `unix://${join(project.root, 'no.sock')}` })
    expect(await askServer()).toMatchObject({
      code: 'NEEDS_DOCKER',
      message: expect.stringContaining('"site" runs an image'),
    })
  })
}
