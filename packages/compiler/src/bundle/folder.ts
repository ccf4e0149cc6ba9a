import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Asset } from './assets.ts'
import { sha256 } from './files.ts'

/** One file of an endpoint's folder: its content, or where to copy it from. */
export type FolderFile = { path: string; bytes: number; hash: string } & (
  | { content: Buffer }
  | { from: string }
)

/** Everything that an endpoint's folder will hold. */
export interface Folder {
  /** Sorted by path. */
  files: FolderFile[]
  hash: string
  mainBytes: number
  gzipBytes: number
}

export async function createFolder(
  contents: { main: string; map: Buffer; packageFile: string },
  assets: Asset[],
): Promise<Folder> {
  const main = Buffer.from(contents.main)
  const zipped = promisify(gzip)(main)
  const files: FolderFile[] = [
    toFile('main.mjs', main),
    toFile('main.mjs.map', contents.map),
    toFile('package.json', Buffer.from(contents.packageFile)),
    ...assets.map(({ path, bytes, hash, file }) => ({ path, bytes, hash, from: file })),
  ]
  files.sort((one, other) => (one.path < other.path ? -1 : 1))
  return {
    files,
    hash: sha256(files.map(({ path, hash }) => `${path}\0${hash}\n`).join('')),
    mainBytes: main.length,
    gzipBytes: (await zipped).length,
  }
}

function toFile(path: string, content: Buffer): FolderFile {
  return { path, bytes: content.length, hash: sha256(content), content }
}
