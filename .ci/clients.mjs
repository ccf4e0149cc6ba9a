// Virtual environments of the Python programs that test/clients runs against the emulator.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Installs many packages in seconds where pip needs minutes. */
const installer = 'uv==0.13.9'
const names = ['runpod-1', 'runpod-2']

/**
 * Makes those that are missing or whose versions have changed.
 * Returns why that is not possible, in one line, or `null`.
 */
export function installClients(root, step) {
  const home = join(root, 'node_modules/.cache/clients')
  const wanted = names.map((name) => {
    const versions = join(root, 'test/clients/python', `${name}.txt`)
    const key = createHash('sha256').update(installer).update(readFileSync(versions)).digest('hex')
    return { folder: join(home, name), versions, key }
  })
  const missing = wanted.filter(({ folder, key }) => readKey(folder) !== key)
  if (missing.length === 0) return null
  step('installing the Python programs that the tests run')
  mkdirSync(home, { recursive: true })
  const tool = join(home, 'installer')
  try {
    run('python3', ['-m', 'venv', '--clear', tool])
    run(join(tool, 'bin/python'), ['-m', 'pip', 'install', '--quiet', installer])
    for (const one of missing) install(join(tool, 'bin/uv'), one, join(home, 'downloads'))
    return null
  } catch (error) {
    return lastLine(String(error.stderr || error.message))
  } finally {
    for (const folder of [tool, join(home, 'downloads')]) rmSync(folder, { recursive: true, force: true })
  }
}

function install(uv, { folder, versions, key }, cache) {
  // As pip does, it trusts what the machine trusts.
  const env = { UV_CACHE_DIR: cache, UV_DEFAULT_INDEX: process.env.PIP_INDEX_URL, UV_SYSTEM_CERTS: 'true' }
  rmSync(folder, { recursive: true, force: true })
  // With pip: what builds artifacts calls it.
  run(uv, ['venv', '--quiet', '--seed', '--python', 'python3', folder], env)
  const python = join(folder, 'bin/python')
  run(uv, ['pip', 'install', '--quiet', '--no-deps', '--python', python, '-r', versions], env)
  writeFileSync(join(folder, 'key'), key)
}

function run(command, args, more = {}) {
  const env = Object.entries({ ...process.env, ...more }).filter(([, value]) => value !== undefined)
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: Object.fromEntries(env) })
}

function readKey(folder) {
  const file = join(folder, 'key')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function lastLine(text) {
  return text.trim().split('\n').at(-1)
}
