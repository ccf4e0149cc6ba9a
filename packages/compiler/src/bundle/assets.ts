import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { codeEnding } from './files.ts'

/** A file that lies beside a bundle instead of in it. */
export interface Asset {
  /** Absolute, where it is now. */
  file: string
  /** In the folder of the endpoint: `assets/model-1a2b3c4d.onnx`. */
  path: string
  bytes: number
  /** sha256, hex. */
  hash: string
  /** It is source code, which runs only together with what it imports. */
  isCode: boolean
}

/** Files beside bundles, each read once per build. */
export interface AssetStore {
  /** `null` when there is no such file. */
  take(file: string): Promise<Asset | null>
}

/** `limitBytes`: a larger file is not read; its hash says nothing, and the build that wants it fails. */
export function createAssetStore(limitBytes: number): AssetStore {
  const known = new Map<string, Promise<Asset | null>>()
  return {
    take(file) {
      const before = known.get(file)
      if (before) return before
      const made = readAsset(file, limitBytes)
      known.set(file, made)
      return made
    },
  }
}

async function readAsset(file: string, limitBytes: number): Promise<Asset | null> {
  const found = await stat(file).catch(() => null)
  if (!found?.isFile()) return null
  const hash = createHash('sha256')
  if (found.size <= limitBytes) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  const digest = hash.digest('hex')
  const ending = extname(file)
  const name = basename(file, ending).replace(/[^\w.-]/g, '_')
  return {
    file,
    path: `assets/${name}-${digest.slice(0, 8)}${ending.replace(/[^\w.]/g, '_')}`,
    bytes: found.size,
    hash: digest,
    isCode: codeEnding.test(file),
  }
}
