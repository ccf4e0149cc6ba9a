import { constants } from 'node:fs'
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Folder } from './folder.ts'

export async function writeFolder(path: string, { files }: Folder): Promise<void> {
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

/** Another text as soon as anybody wrote a file of the folder again; `null` when one is missing. */
export async function markFolder(path: string, { files }: Folder): Promise<string | null> {
  const found = await Promise.all(
    files.map((file) => stat(join(path, file.path), { bigint: true }).catch(() => null)),
  )
  return found.includes(null) ? null : found.map((file) => `${file!.size} ${file!.mtimeNs}`).join()
}
