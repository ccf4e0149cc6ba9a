import { spawn } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, repository } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

let project: Project
let vite: ViteProcess | undefined

afterEach(async () => {
  await vite?.stop()
  vite = undefined
  project?.remove()
})

/** Runs a program of the project as its user would, without the test's own variables. */
function run(
  file: string,
  env: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  const { VITEST: _, NODE_ENV: __, ...inherited } = process.env
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [project.path(file)], {
      cwd: project.root,
      env: { ...inherited, ...env },
    })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('exit', (code) => resolve({ code, output }))
  })
}

const middlewareMode = `import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'vite'
const vite = await createServer({ server: { middlewareMode: true }, appType: 'custom', logLevel: 'error' })
const { render } = await vite.ssrLoadModule('/src/render.ts')
console.log('RENDERED ' + (await render('ann')))
const items = []
for await (const item of (await vite.ssrLoadModule('/src/basics.ts')).count(3)) items.push(item)
console.log('STREAMED ' + items)
const http = createHttpServer(vite.middlewares).listen(0, '127.0.0.1', async () => {
  const answer = await fetch('http://127.0.0.1:' + http.address().port + '/_flash/basics/greet/run_sync', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"input":{"name":"bob"}}' })
  console.log('ROUTED ' + (await answer.json()).output)
  http.close()
  await vite.close()
  console.log('CLOSED')
})
`

test("server code in the dev server's own process calls functions, in middleware mode too, and close ends all", async () => {
  project = createProject({
    ...appFiles,
    'src/render.ts':
      "import { greet } from './basics.ts'\nexport const render = async (name: string) => '<p>' + (await greet(name)) + '</p>'\n",
    'server.mjs': middlewareMode,
  })
  const { code, output } = await run('server.mjs')
  expect(output).toContain('RENDERED <p>hello ann!</p>')
  expect(output).toContain('STREAMED 1,2,3')
  expect(output).toContain('ROUTED hello bob!')
  expect(output).toContain('CLOSED')
  expect(code).toBe(0)
})

const script = `import { serverStub } from 'unplugin-flash/client'
import { readFileSync } from 'node:fs'
const greet = serverStub(process.env.FUNCTION_ID, 0, { name: 'basics', at: 'src/basics.ts:5' })
try { console.log('ANSWER ' + (await greet('carl'))) } catch (error) { console.log('FAILED ' + error.code + ' ' + error.message + ' ' + error.hint) }
`

async function idOfGreet(): Promise<string> {
  const source = await (await fetch(`${vite!.url}/src/basics.ts`)).text()
  return /greet = \/\* @__PURE__ \*\/ \w+\("([a-z2-7]{16})\./.exec(source)![1]!
}

test('another process finds the dev server by its state file', async () => {
  project = createProject({ ...appFiles, 'script.mjs': script })
  vite = await startVite(project)
  const id = await idOfGreet()
  expect((await run('script.mjs', { FUNCTION_ID: id })).output).toContain('ANSWER hello carl!')
})

test('without a dev server, or in production, a call says what to do', async () => {
  project = createProject({ ...appFiles, 'script.mjs': script })
  vite = await startVite(project)
  const id = await idOfGreet()
  expect((await run('script.mjs', { FUNCTION_ID: id, NODE_ENV: 'production' })).output).toMatch(
    /FAILED ENDPOINT_NOT_DEPLOYED .*basics/,
  )
  await vite.stop()
  vite = undefined
  expect((await run('script.mjs', { FUNCTION_ID: id })).output).toMatch(
    /FAILED ENDPOINT_NOT_DEPLOYED .*basics/,
  )
})

test('a script run without the plugin fails with one clear sentence', async () => {
  project = createProject({
    'plain.mjs': "import { remote } from 'unplugin-flash'\nexport const f = remote({}, async () => 1)\n",
  })
  const { code, output } = await run('plain.mjs')
  expect(code).not.toBe(0)
  expect(output).toMatch(/PLUGIN_MISSING|unplugin-flash\/vite/)
})

const vitestFiles = {
  'src/both.test.ts': `import { expect, test } from 'vitest'
import { greet, count, refuse, echo, wait, steps } from './basics.ts'
import { Counter } from './counter.ts'
import { describe as ask } from './stateful.ts'
import { relay } from './relay.ts'
test('real functions through the codec', async () => {
  expect(await greet('ann')).toBe('hello ann!')
  expect(await relay('ann')).toBe('relayed: hello ann!')
  const sent = { at: new Date(3), map: new Map([[1, 2n]]) }
  const back = await echo(sent)
  expect(back).toEqual(sent)
  expect(back).not.toBe(sent)
  const items = []
  for await (const item of count(3)) items.push(item)
  expect(items).toEqual([1, 2, 3])
  expect(await new Counter(3).add(4)).toBe(7)
  expect((await ask('q')).answer).toBe('v1 q')
  await expect(refuse(2)).rejects.toMatchObject({ code: 'FULL', data: { seats: 2 } })
  await expect(echo({ cb() {} })).rejects.toMatchObject({ code: 'CANNOT_CARRY' })
  await expect(wait.with({ signal: AbortSignal.timeout(30) })(10_000)).rejects.toThrow()
  const job = await steps.run(2)
  expect(await job.wait()).toBe('done')
})
`,
  'vite.config.ts': `import { flash } from 'unplugin-flash/vite'
export default { cacheDir: '.vite', plugins: [flash()], test: { projects: [{ extends: true, test: { name: 'node' } }, { extends: true, test: { name: 'jsdom', environment: 'jsdom' } }] }, server: { fs: { allow: ['.', ${JSON.stringify(repository)}] } } }
`,
}

test('under Vitest calls run the real function in the test process, in node and jsdom alike', async () => {
  project = createProject({ ...appFiles, ...vitestFiles })
  const {
    VITEST: _,
    NODE_ENV: __,
    VITEST_WORKER_ID: ___,
    VITEST_POOL_ID: ____,
    VITEST_MODE: _____,
    ...inherited
  } = process.env
  const { code, output } = await new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = spawn(
      process.execPath,
      [`${repository}/node_modules/vitest/vitest.mjs`, 'run', '--reporter', 'verbose'],
      { cwd: project.root, env: { ...inherited, NO_COLOR: '1' } },
    )
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('exit', (code) => resolve({ code, output }))
  })
  expect(output).toMatch(/node.*real functions/)
  expect(output).toMatch(/jsdom.*real functions/)
  expect(code, output).toBe(0)
})
