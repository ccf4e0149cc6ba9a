import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** A project of a user, in a folder of its own outside the workspace. */
export interface Project {
  root: string
  path(file: string): string
  read(file: string): string
  /** Writes a file as an editor would: Vite's watcher drops changes that come within 50 ms of each other. */
  write(file: string, text: string): Promise<void>
  edit(file: string, from: string | RegExp, to: string): Promise<void>
  remove(): void
}

const lastWrite = new Map<string, number>()

export function createProject(files: Record<string, string>, copyOf?: string): Project {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-project-')))
  if (copyOf)
    cpSync(copyOf, root, { recursive: true, filter: (path) => !/node_modules|\.flash|dist$/.test(path) })
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  const path = (file: string) => join(root, file)
  const put = (file: string, text: string) => {
    mkdirSync(dirname(path(file)), { recursive: true })
    writeFileSync(path(file), text)
  }
  const all: Record<string, string> = copyOf
    ? {}
    : {
        'package.json': '{ "name": "fixture", "type": "module" }',
        'vite.config.ts': viteConfig(),
        'index.html': page(),
      }
  for (const [file, text] of Object.entries({ ...all, ...files })) put(file, text)
  const project: Project = {
    root,
    path,
    read: (file) => readFileSync(path(file), 'utf8'),
    async write(file, text) {
      const wait = (lastWrite.get(file) ?? 0) + 120 - Date.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      put(file, text)
      lastWrite.set(file, Date.now())
    },
    async edit(file, from, to) {
      const before = project.read(file)
      const after = before.replace(from, to)
      if (after === before) throw new Error(`${file} does not contain ${from}`)
      await project.write(file, after)
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
  return project
}

export function viteConfig(options = '', more = ''): string {
  return `import { flash } from 'unplugin-flash/vite'
export default {
  cacheDir: '.vite',
  plugins: [flash(${options})],
  server: { host: '127.0.0.1', fs: { allow: ['.', ${JSON.stringify(repository)}] } },
  ${more}
}
`
}

export function page(entry = '/src/main.ts'): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Fixture</title></head><body><main id="app"></main><script type="module" src="${entry}"></script></body></html>`
}
