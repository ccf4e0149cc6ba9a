// Packs the published package and lints the tarball: its manifest, and its types as users resolve them.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'flash-pack-'))
const bin = (name) => join(root, 'node_modules', '.bin', name)
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })

try {
  execFileSync('npm', ['pack', '--silent', '--workspace', 'unplugin-flash', '--pack-destination', folder], {
    cwd: root,
  })
  const tarball = join(folder, readdirSync(folder)[0])
  run(bin('publint'), ['run', tarball, '--strict'])
  run(bin('attw'), [tarball, '--profile', 'esm-only'])
} catch {
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
