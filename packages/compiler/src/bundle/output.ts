import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { eachOf } from './each-of.ts'
import type { Folder } from './folder.ts'
import { withLock } from './lock.ts'
import { markManifest, publish, removeBuild, removeFrom, withdraw } from './published.ts'
import { createStagingName, removeAbandoned } from './staging.ts'
import { markFolder, writeFolder } from './write-folder.ts'

const WRITES_AT_A_TIME = 8

/**
 * The folder that a build is written to; nothing in it looks like a finished build before one is.
 *
 * Others may build to it at the same time. A build that was neither there when this was made, nor finished by this, is theirs:
 * it stays until a finished one takes its place.
 */
export interface Output {
  /** Takes away what says that the folder holds a finished build, unless it is theirs. */
  begin(): Promise<void>
  /**
   * Writes beside what is there, then puts everything in place, the manifest last.
   *
   * - a folder that an earlier call wrote, and nobody changed since, is left alone.
   * - folders of endpoints that are not in `folders` go; those that no build made stay.
   */
  commit(folders: ReadonlyMap<string, Folder>, manifest: string): Promise<void>
  /** Takes away everything of a build, unless it is theirs, so that nobody takes it for a result. */
  clear(): Promise<void>
}

/** What was put in place, by the name of the endpoint. */
type Written = Map<string, { folder: Folder; mark: string | null }>

export function createOutput(outDir: string): Output {
  const staging = createStagingName()
  const written: Written = new Map()
  let known = markManifest(outDir)
  const isTheirs = () => ![null, known].includes(markManifest(outDir))
  const isIntact = async (name: string, folder: Folder) => {
    const last = written.get(name)
    return last?.folder === folder && last.mark === (await markFolder(join(outDir, name), folder))
  }
  /** Adds to `staged` what is not intact. */
  const stage = (folders: ReadonlyMap<string, Folder>, staged: Map<string, Folder>) =>
    eachOf([...folders], WRITES_AT_A_TIME, async ([name, folder]) => {
      if (staged.has(name) || (await isIntact(name, folder))) return
      await writeFolder(join(outDir, staging, name), folder)
      staged.set(name, folder)
    })
  return {
    async begin() {
      if (!existsSync(outDir)) return
      await withLock(outDir, async () => {
        await removeAbandoned(outDir)
        if (!isTheirs()) await withdraw(outDir)
      })
    },
    async commit(folders, manifest) {
      const staged = new Map<string, Folder>()
      await mkdir(join(outDir, staging), { recursive: true })
      await stage(folders, staged)
      await withLock(outDir, async () => {
        // Others may have put their own in place of what was intact.
        await stage(folders, staged)
        const before = await withdraw(outDir, staged.keys())
        await removeFrom(outDir, [...before.filter((name) => !folders.has(name)), ...staged.keys()])
        await putInPlace(outDir, staging, { staged, written })
        await publish(outDir, staging, manifest)
        known = markManifest(outDir)
      })
      await removeFrom(outDir, [staging])
    },
    async clear() {
      if (!existsSync(outDir)) return
      await withLock(outDir, async () => {
        if (!isTheirs()) await removeBuild(outDir)
      })
      await removeFrom(outDir, [staging])
    },
  }
}

async function putInPlace(
  outDir: string,
  staging: string,
  { staged, written }: { staged: ReadonlyMap<string, Folder>; written: Written },
): Promise<void> {
  for (const [name, folder] of staged) {
    await rename(join(outDir, staging, name), join(outDir, name))
    written.set(name, { folder, mark: await markFolder(join(outDir, name), folder) })
  }
}
