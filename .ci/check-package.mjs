// Packs the published package and lints the tarball: what is in it, its manifest, and its types as users resolve them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const home = join(root, 'packages/unplugin-flash')
const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'flash-pack-'))

try {
  const packed = run('npm', ['pack', '--json', '--workspace', 'unplugin-flash', '--pack-destination', folder])
  const [{ filename, files }] = JSON.parse(packed)
  const paths = files.map(({ path }) => path)
  const problems = [...findFiles(paths), ...findUnused(paths)]
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
  run('publint', ['run', join(folder, filename), '--strict'])
  run('attw', [join(folder, filename), '--profile', 'esm-only'])
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** What is missing from the tarball, and what does not belong there. */
function findFiles(paths) {
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? entry : Object.values(entry),
  )
  const wanted = [
    'README.md',
    ...Object.values(manifest.bin).map((target) => target.slice(2)),
    'LICENSE',
    'dist/LICENSES.md',
    ...[
      'swagger-ui-bundle.js',
      'swagger-ui-bundle.js.LICENSE.txt',
      'swagger-ui.css',
      'LICENSE',
      'NOTICE',
    ].map((file) => `dist/docs/${file}`),
    ...targets.map((target) => target.slice(2)),
  ]
  const allowed = /^(?:package\.json|dist\/(?:internal\/)?[\w-]+(?:\.mjs|\.d\.mts))$/
  return [
    ...wanted.filter((path) => !paths.includes(path)).map((path) => `${path} is not in the package`),
    ...paths
      .filter((path) => !allowed.test(path) && !wanted.includes(path))
      .map((path) => `${path} does not belong in the package`),
  ]
}

/** The build refuses to import what is no dependency; this finds dependencies that nothing imports. */
function findUnused(paths) {
  const built = paths
    .filter((path) => path.endsWith('.mjs'))
    .map((path) => readFileSync(join(home, path), 'utf8'))
  const isImported = (name) =>
    built.some((text) => new RegExp(`(?:from|import) ?\\(?"${name}["/]`).test(text))
  // Those of a user's project are found at run time, by their name.
  const isNamed = (name) => built.some((text) => text.includes(`"${name}"`))
  const { peerDependenciesMeta: optional = {} } = manifest
  return Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    .filter((name) => !(isImported(name) || (name in optional && isNamed(name))))
    .map((name) => `nothing in the package imports its dependency ${name}`)
}

/** The output of a command; what a failing one said is printed. */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return stdout
  process.stderr.write(`${stdout}${stderr}`)
  throw new Error(`${command} failed`)
}
