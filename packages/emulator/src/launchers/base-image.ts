import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { bundleFolder } from '@flash/protocol'
import type Docker from 'dockerode'
import { readProgress } from './docker/progress.ts'
import { type TarEntry, writeTar } from './docker/tar.ts'

/** As a name of an image: the one that is made of the Node of this machine, without a registry. */
export const offlineBase = 'unplugin-flash-base'

export interface BaseImage {
  /** Name and tag; the tag names all that went in. */
  name: string
  entries: TarEntry[]
}

const NODE = '/usr/local/bin/node'
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
/** What glibc loads by name when names of hosts and users are looked up; newer ones have it built in. */
const LOADED_BY_NAME = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2']

const CONFIG = `ENV PATH=/usr/local/bin:/usr/bin:/bin
ENV NODE_ENV=production
USER 1000:1000
WORKDIR /flash
CMD ["node", "${bundleFolder}/main.mjs"]`

const skeleton: TarEntry[] = [
  { path: '/etc/passwd', mode: 0o644, text: 'root:x:0:0:root:/root:\nnode:x:1000:1000:node:/flash/home:\n' },
  { path: '/etc/group', mode: 0o644, text: 'root:x:0:\nnode:x:1000:\n' },
  { path: '/etc/nsswitch.conf', mode: 0o644, text: 'hosts: files dns\n' },
  { path: '/tmp/', mode: 0o1777, folder: true },
  { path: `${bundleFolder}/`, mode: 0o755, folder: true },
]

/**
 * What the offline image has: Node, the libraries it needs, certificates, users. Time zones are a part of Node.
 *
 * - `node`: the program, for Linux; that of this process when omitted.
 * - rejects with an `Error` on another system.
 */
export async function describeBaseImage(node = process.execPath): Promise<BaseImage> {
  if (process.platform !== 'linux') {
    throw new Error(`an image cannot be made of the Node of this machine, which is for ${process.platform}`)
  }
  const program = await realpath(node)
  const [version, libraries] = await Promise.all([versionOf(program), findLibraries(program)])
  const files = [...libraries, CERTIFICATES].filter(existsSync).sort()
  const entries: TarEntry[] = [
    ...skeleton,
    { path: NODE, mode: 0o755, file: program },
    ...(await Promise.all(files.map(async (path) => ({ path, mode: 0o755, file: await realpath(path) })))),
  ]
  const hash = (await digest(entries)).slice(0, 12)
  return { name: `${offlineBase}:node${version.slice(1)}-${process.arch}-${hash}`, entries }
}

/** Makes the offline image when the engine does not have it; gives its name. */
export async function buildBaseImage(engine: Docker, base: BaseImage): Promise<string> {
  const image = engine.getImage(base.name)
  const isThere = await image.inspect().then(
    () => true,
    () => false,
  )
  if (isThere) return base.name
  const [repo, tag] = base.name.split(':')
  const archive = Readable.from(writeTar(base.entries), { objectMode: false })
  await readProgress(await engine.importImage(archive, { repo, tag, changes: CONFIG }))
  return base.name
}

const run = promisify(execFile)

async function versionOf(program: string): Promise<string> {
  return program === (await realpath(process.execPath))
    ? process.version
    : (await run(program, ['--version'])).stdout.trim()
}

/** Paths where the loader looks for them; none for a program that is linked statically. */
async function findLibraries(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }))
  const paths = [...stdout.matchAll(/(?:=>\s*|^\s*)(\/\S+)\s+\(0x/gm)].map(([, path]) => path!)
  const libc = paths.find((path) => /\/libc\.so/.test(path))
  return libc ? [...paths, ...LOADED_BY_NAME.map((name) => join(dirname(libc), name))] : paths
}

async function digest(entries: TarEntry[]): Promise<string> {
  const hash = createHash('sha256').update(CONFIG)
  for (const entry of entries) {
    hash.update(`\0${entry.path}\0${entry.mode}\0`)
    if ('text' in entry) hash.update(entry.text)
    if ('file' in entry) for await (const bytes of createReadStream(entry.file)) hash.update(bytes)
  }
  return hash.digest('hex')
}
