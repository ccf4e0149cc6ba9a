import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { eachOf } from './each-of.ts'
import type { Folder } from './folder.ts'

const MANIFEST_FILE = 'flash_manifest.json'
const STAGING = '.tmp'
const WRITES_AT_A_TIME = 8

/** The folder that a build is written to; nothing in it looks like a finished build before one is. */
export interface Output {
  /** Takes away what says that the folder holds a finished build. */
  begin(): Promise<void>
  /**
   * Writes beside what is there, then puts everything in place, the manifest last.
   *
   * - `fresh`: names of folders that may differ from those on disk; others are written only where something is missing.
   * - folders of endpoints that are not in `folders` go.
   */
  commit(folders: ReadonlyMap<string, Folder>, fresh: ReadonlySet<string>, manifest: string): Promise<void>
  /** Takes away everything of a build, so that nobody takes it for a result. */
  clear(): Promise<void>
}

export function createOutput(outDir: string): Output {
  const place = (name: string) => join(outDir, name)
  const stage = (name: string) => join(outDir, STAGING, name)
  const remove = async (...names: string[]) => {
    for (const name of names) await rm(place(name), { recursive: true, force: true })
  }
  return {
    begin: () => remove(MANIFEST_FILE, 'app.tar.gz', STAGING),
    async commit(folders, fresh, manifest) {
      await mkdir(place(STAGING), { recursive: true })
      const written: string[] = []
      await eachOf([...folders], WRITES_AT_A_TIME, async ([name, folder]) => {
        if (!fresh.has(name) && (await isIntact(place(name), folder))) return
        await writeFolder(stage(name), folder)
        written.push(name)
      })
      const before = await findEndpoints(outDir)
      await remove(...before.filter((name) => !folders.has(name)), ...written)
      for (const name of written) await rename(stage(name), place(name))
      await writeFile(stage(MANIFEST_FILE), manifest)
      await rename(stage(MANIFEST_FILE), place(MANIFEST_FILE))
      await remove(STAGING)
    },
    async clear() {
      await remove(MANIFEST_FILE, STAGING, ...(await findEndpoints(outDir)))
    },
  }
}

/** Folders that a build made; others are not ours to remove. */
async function findEndpoints(outDir: string): Promise<string[]> {
  const names = await readdir(outDir).catch(() => [])
  const mains = await Promise.all(names.map((name) => stat(join(outDir, name, 'main.mjs')).catch(() => null)))
  return names.filter((_, index) => mains[index] !== null)
}

async function isIntact(path: string, { files }: Folder): Promise<boolean> {
  const found = await Promise.all(files.map((file) => stat(join(path, file.path)).catch(() => null)))
  return files.every(({ bytes }, index) => found[index]?.size === bytes)
}

async function writeFolder(path: string, { files }: Folder): Promise<void> {
  const folders = new Set(files.map((file) => dirname(join(path, file.path))))
  for (const folder of folders) await mkdir(folder, { recursive: true })
  await Promise.all(
    files.map((file) => {
      const target = join(path, file.path)
      return 'content' in file
        ? writeFile(target, file.content)
        : copyFile(file.from, target, constants.COPYFILE_FICLONE)
    }),
  )
}
