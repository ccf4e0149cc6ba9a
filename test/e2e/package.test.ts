import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appFiles } from '../helpers/fixture.ts'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { page, repository } from '../helpers/project.ts'

declare const flash: Record<string, any>

const folder = mkdtempSync(join(tmpdir(), 'flash-package-'))
const app = join(folder, 'app')
const versions = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).devDependencies as Record<
  string,
  string
>

const put = (file: string, text: string) => {
  mkdirSync(dirname(join(app, file)), { recursive: true })
  writeFileSync(join(app, file), text)
}

beforeAll(() => {
  execFileSync('npm', ['pack', '--silent', '--workspace', 'unplugin-flash', '--pack-destination', folder], {
    cwd: repository,
  })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  for (const [file, text] of Object.entries(appFiles)) put(file, text)
  put('package.json', JSON.stringify({ name: 'a-users-app', type: 'module', private: true }))
  put('index.html', page())
  put(
    'vite.config.ts',
    "import { flash } from 'unplugin-flash/vite'\nexport default { plugins: [flash()], server: { host: '127.0.0.1' } }\n",
  )
  put(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        module: 'ESNext',
        moduleResolution: 'Bundler',
        target: 'ES2022',
        lib: ['ES2022', 'DOM'],
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: false,
        types: [],
      },
      include: ['src/counter.ts', 'src/stateful.ts'],
    }),
  )
  execFileSync(
    'npm',
    [
      'install',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      join('..', tarball),
      `vite@${versions.vite}`,
      `typescript@${versions.typescript}`,
    ],
    { cwd: app },
  )
}, 240_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the tarball holds what users need and nothing else', () => {
  const files = readdirSync(join(app, 'node_modules/unplugin-flash'), { recursive: true, encoding: 'utf8' })
  expect(files).toEqual(
    expect.arrayContaining([
      'package.json',
      'dist/index.mjs',
      'dist/index.d.mts',
      'dist/vite.mjs',
      'dist/client.mjs',
    ]),
  )
  expect(files.filter((name) => /\.test\.|src\/|fixtures|tsdown/.test(name))).toEqual([])
  const manifest = readFileSync(join(app, 'node_modules/unplugin-flash/package.json'), 'utf8')
  expect(JSON.parse(manifest).dependencies).not.toHaveProperty('@flash/protocol')
})

test('an installed package runs a function in dev', async () => {
  const { VITEST: _, NODE_ENV: __, ...env } = process.env
  const child = spawn(process.execPath, ['node_modules/vite/bin/vite.js', '--port', '0'], {
    cwd: app,
    env: { ...env, NO_COLOR: '1' },
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let output = ''
      const look = (text: Buffer) => {
        output += text
        const found = /Local:\s+(http:\/\/\S+?)\/?\s/.exec(output)
        if (found) resolve(found[1]!)
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      child.on('exit', () => reject(new Error(output)))
    })
    for (const [path, input, output] of [
      ['basics/greet', { name: 'ann' }, 'hello ann!'],
      ['relay', { name: 'bob' }, 'relayed: hello bob!'],
      ['stateful', { question: 'q' }, expect.objectContaining({ answer: 'v1 q' })],
    ] as const) {
      const response = await fetch(`${url}/_flash/${path}/run_sync`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
      })
      expect(await response.json()).toMatchObject({ status: 'COMPLETED', output })
    }
    const client = await (await fetch(`${url}/src/basics.ts`)).text()
    expect(client).not.toContain('no seats left')
  } finally {
    child.kill()
  }
})

test('its types hold in a strict project that checks libraries too', () => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { cwd: app, stdio: 'pipe' })
})

test('an installed package builds, and flash start serves the app with its functions', async () => {
  const { VITEST: _, NODE_ENV: __, ...env } = process.env
  execFileSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build'], { cwd: app, env, stdio: 'pipe' })
  const greeting = execFileSync(
    process.execPath,
    [
      '.flash/build/basics/main.mjs',
      '--test-input',
      '{"input":{"flash:call":{"v":1,"fn":"greet"},"name":"ann"}}',
    ],
    { cwd: app, encoding: 'utf8' },
  )
  expect(JSON.parse(greeting)).toEqual({ output: 'hello ann!' })
  const child = spawn(
    join(app, 'node_modules/.bin/flash'),
    ['start', '--public', '--port', '0', '--host', '127.0.0.1', '--json'],
    { cwd: app, env: { ...env, FLASH_TARGET: 'local', NODE_ENV: 'production' } },
  )
  const browser = await launchBrowser()
  try {
    const line = await new Promise<string>((resolve, reject) => {
      let output = ''
      child.stdout.on('data', (text) => {
        output += text
        if (output.includes('\n')) resolve(output.split('\n')[0]!)
      })
      child.on('exit', () => reject(new Error(output)))
    })
    const { url } = JSON.parse(line) as { url: string }
    const { page, errors } = await openPage(browser, url)
    await page.getByText('ready').waitFor()
    expect(await page.evaluate(() => flash.relay('bob'))).toBe('relayed: hello bob!')
    expect(await page.evaluate(() => new flash.Counter(1).add(2))).toBe(3)
    expect((await fetch(`${url}/.flash-facts`)).status).toBe(404)
    await page.goto(`${url}/any/page`)
    await page.getByText('ready').waitFor()
    expect(errors).toEqual([])
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  } finally {
    child.kill('SIGKILL')
    await browser.close()
  }
})
