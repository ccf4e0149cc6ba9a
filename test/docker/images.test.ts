import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workerImages } from '@flash/protocol'
import { afterAll, expect, test } from 'vitest'
import { repository } from '../helpers/project.ts'

const folder = mkdtempSync(join(tmpdir(), 'flash-start-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (file: string) => readFileSync(join(repository, file), 'utf8')
const readJson = (file: string) => JSON.parse(read(file))
const program = "console.log(JSON.stringify(['%', process.cwd().split('/').at(-1), process.argv.slice(2)]))\n"

/** A folder with programs of endpoints. */
function writeBundles(name: string, endpoints: string[]): string {
  const root = join(folder, name)
  for (const endpoint of endpoints) {
    mkdirSync(join(root, endpoint), { recursive: true })
    writeFileSync(join(root, endpoint, 'main.mjs'), program.replace('%', endpoint))
  }
  return root
}

function start(env: Record<string, string>, args: string[] = [], bundle = '/nowhere') {
  const { PATH } = process.env
  const script = join(folder, 'start.sh')
  writeFileSync(script, read('docker/start.sh').replace('bundle=/flash/bundle', `bundle=${bundle}`))
  const all = {
    PATH,
    TMPDIR: folder,
    FLASH_BUNDLE: '/nowhere',
    FLASH_BUILD_ARTIFACT_PATH: '/nowhere',
    ...env,
  }
  const { status, stdout, stderr } = spawnSync('sh', [script, ...args], {
    env: all,
    encoding: 'utf8',
  })
  return { status, said: status === 0 ? JSON.parse(stdout) : stderr }
}

for (const [kind, name] of Object.entries(workerImages)) {
  test(`the image "${kind}" has the version, the Node and the tag that its file says`, () => {
    const text = read(`docker/${kind}.Dockerfile`)
    const { version } = readJson('packages/unplugin-flash/package.json')
    const node = readJson('package.json').devDependencies.node
    expect(name).toBe(`unplugin-flash-worker:${version}-node${node.split('.')[0]}-${kind}`)
    expect(text).toContain(`-t ${name} `)
    expect(text).toContain(`FROM node:${node}-`)
    for (const [, base] of text.matchAll(/^FROM (\S+)/gm)) expect(base).toMatch(/:\d+\.\d+\.\d+-/)
    expect(text).toMatch(/^USER node$/m)
  })
}

test('a bundle that is mounted runs, in its folder, with the arguments', () => {
  const bundle = join(writeBundles('mounted', ['small']), 'small')
  expect(start({}, ['--a', 'b c'], bundle)).toEqual({
    status: 0,
    said: ['small', 'small', ['--a', 'b c']],
  })
})

test('without one, the endpoint of the archive runs', () => {
  const root = writeBundles('archived', ['one', 'two'])
  const archive = join(folder, 'artifact.tar.gz')
  execFileSync('tar', ['-czf', archive, '-C', root, '.'])
  const env = { FLASH_BUILD_ARTIFACT_PATH: archive }
  expect(start({ ...env, FLASH_RESOURCE_NAME: 'two' }).said).toEqual(['two', 'two', []])
  expect(start({ ...env, FLASH_RESOURCE_NAME: 'three' })).toEqual({
    status: 2,
    said: `flash: ${archive} has no endpoint "three"\n`,
  })
  expect(start(env).said).toContain('FLASH_RESOURCE_NAME does not say which endpoint')
})

test('with neither, both places are told', () => {
  const { status, said } = start({})
  expect(status).toBe(2)
  expect(said).toContain('there is neither /nowhere/main.mjs nor a readable /nowhere')
})
