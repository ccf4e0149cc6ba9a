// Installs what is missing, then builds the package; everything that is there already is left alone.
// Runs on the system's own Node, before any dependency exists. `--tools` also sees to what the tests start.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installClients } from './clients.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const state = join(root, 'node_modules', '.prepared')
// The playground's ONNX runtime would download GPU libraries that it does not use.
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }

installPackages()
buildPackage()
if (process.argv.includes('--tools')) {
  installTools()
  installPrograms()
}

function installPackages() {
  if (isInstalled()) return
  step('installing packages')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Compares what is wanted with npm's own record of what it installed. */
function isInstalled() {
  const record = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return false
  const { packages: there } = JSON.parse(readFileSync(record, 'utf8'))
  const { packages: wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(wanted).every(([path, { version, link, optional }]) => {
    if (!path.includes('node_modules/') || (optional && !there[path])) return true
    return link ? there[path]?.link : there[path]?.version === version
  })
}

function buildPackage() {
  const sources = ['packages', 'worker'].flatMap((folder) => listFiles(join(root, folder)))
  const wanted = digest(sources.filter((file) => /\.(ts|json)$/.test(file) && !/\.test(-d)?\.ts$/.test(file)))
  const built = existsSync(join(root, 'packages/unplugin-flash/dist/vite.mjs'))
  if (built && readState('build') === wanted) return
  step('building unplugin-flash')
  run('npm', ['run', '--silent', 'build'])
  writeState('build', wanted)
}

function installTools() {
  const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium'
  const tools = [
    { isThere: existsSync(chromium), packages: ['chromium', 'fonts-dejavu-core'] },
    { isThere: existsSync('/usr/bin/openssl'), packages: ['openssl'] },
    { isThere: hasPython(), packages: ['python3', 'python3-venv'] },
    { isThere: hasDocker(), packages: ['docker.io', 'iptables'] },
  ]
  const missing = tools.filter(({ isThere }) => !isThere).flatMap(({ packages }) => packages)
  if (missing.length === 0) return
  if (spawnSync('apt-get', ['--version']).status !== 0) {
    console.error(`The tests need ${missing.join(', ')}; the variable CHROMIUM says where a Chromium is.`)
    process.exit(1)
  }
  step(`installing ${missing.join(', ')}`)
  const apt = (args) =>
    run('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], { DEBIAN_FRONTEND: 'noninteractive' })
  apt(['update'])
  apt(['install', '-y', '--no-install-recommends', ...missing])
}

function hasPython() {
  return spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0
}

/** Who may not start an engine needs none: the tests say then that containers are left out. */
function hasDocker() {
  const mayStart = process.platform === 'linux' && process.getuid() === 0
  return !mayStart || existsSync('/var/run/docker.sock') || spawnSync('dockerd', ['--version']).status === 0
}

function installPrograms() {
  const problem = installClients(root, step)
  if (problem === null) return
  console.error(`No Python package index is reachable, so the tests of test/clients are left out: ${problem}`)
  if (process.env.FLASH_TESTS === 'all') process.exit(1)
}

function run(command, args, more = {}) {
  try {
    execFileSync(command, args, { cwd: root, stdio: 'inherit', env: { ...env, ...more } })
  } catch (error) {
    console.error(
      `\n"${command} ${args.join(' ')}" failed${error.status === null ? '' : ` with exit code ${error.status}`}.`,
    )
    process.exit(1)
  }
}

function step(text) {
  console.log(`\u2022 ${text} …`)
}

function digest(files) {
  const hash = createHash('sha256')
  for (const file of files.sort()) hash.update(file.slice(root.length)).update(readFileSync(file))
  return hash.digest('hex')
}

function listFiles(folder) {
  return readdirSync(folder).flatMap((name) => {
    if (name === 'node_modules' || name === 'dist' || name === 'fixtures') return []
    const path = join(folder, name)
    return statSync(path).isDirectory() ? listFiles(path) : [path]
  })
}

function readState(name) {
  const file = join(state, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function writeState(name, value) {
  mkdirSync(state, { recursive: true })
  writeFileSync(join(state, name), value)
}
