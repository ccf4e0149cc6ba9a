import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atEnd } from './cleanup.ts'

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** A small app in a folder of its own, with this repository's packages. */
export interface Project {
  root: string
  write(file: string, text: string): void
  remove(): void
}

export function createProject(files: Record<string, string>): Project {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-bench-')))
  const erase = () => rmSync(root, { recursive: true, force: true })
  const forget = atEnd(erase)
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  const write = (file: string, text: string) => {
    const path = join(root, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const always = { 'package.json': '{ "name": "bench-app", "type": "module" }\n', 'index.html': page }
  for (const [file, text] of Object.entries({ ...always, ...files })) write(file, text)
  return {
    root,
    write,
    remove() {
      erase()
      forget()
    },
  }
}

const page =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bench</title></head>' +
  '<body><script type="module" src="/src/main.ts"></script></body></html>\n'

/** Lets a dev server read the packages that a project's `node_modules` links to. */
export const readableFolders = ['.', repository]
