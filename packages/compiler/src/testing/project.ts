import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createProject, type Project } from '../project.ts'
import type { ProjectOptions } from '../project/options.ts'

export interface TestProject extends Project, Disposable {
  root: string
  /** Absolute. */
  path(file: string): string
  write(files: Record<string, string>): void
  remove(file: string): void
}

export interface TestProjectOptions extends Partial<ProjectOptions> {
  /** Where the project is in the folder that is made for it: `node_modules/app`. */
  below?: string
}

/** A project of real files in a folder of its own, with a resolver like a bundler's. */
export function createTestProject(
  files: Record<string, string>,
  { below = '', ...options }: TestProjectOptions = {},
): TestProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-project-')))
  const root = join(folder, below)
  const path = (file: string) => join(root, file)
  const write = (given: Record<string, string>) => {
    for (const [file, text] of Object.entries(given)) {
      mkdirSync(dirname(path(file)), { recursive: true })
      writeFileSync(path(file), text)
    }
  }
  write({ 'package.json': '{ "name": "app" }', ...files })
  const host: ProjectOptions['host'] = {
    resolve: async (specifier, importer) => resolveFile(root, specifier, importer),
    load: async (file) => (existsSync(file) ? readFileSync(file, 'utf8') : null),
  }
  const project = createProject({ root, host, ...options })
  return {
    ...project,
    root,
    path,
    write,
    remove: (file) => rmSync(path(file)),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const endings = ['', '.ts', '.tsx', '.js', '.mts', '/index.ts']

/** Finds files like a host: with endings left out, the alias `@/`, and packages. */
export function resolveFile(root: string, specifier: string, importer: string): string | null {
  const isAlias = specifier.startsWith('@/')
  const isPackage = !isAlias && !/^[./]/.test(specifier)
  const base = isAlias ? join(root, 'src', specifier.slice(2)) : resolve(dirname(importer), specifier)
  const start = isPackage ? join(root, 'node_modules', specifier) : base
  const found = endings
    .map((ending) => start + ending)
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
  return found ? realpathSync(found) : null
}
