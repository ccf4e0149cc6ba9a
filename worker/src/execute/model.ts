import { AppError } from '@flash/protocol'

export interface ModelPlaces {
  env: Record<string, string | undefined>
  home: string
  /** Where the platform mounts its volumes. */
  mount: string
}

/**
 * The folder with the files of a model, staged by the platform or in the cache of this machine. Nothing is downloaded.
 *
 * - `model`: `owner/name` or `owner/name:revision`.
 * - throws `MODEL_NOT_STAGED` with the folders that were searched.
 */
export function findModel(model: string, places: ModelPlaces = here()): string {
  const { existsSync } = process.getBuiltinModule('node:fs')
  const searched: string[] = []
  for (const folder of candidates(model, places)) {
    const found = typeof folder === 'string' ? folder : snapshotOf(folder)
    if (found && existsSync(found)) return found
    searched.push(found ?? folder.toString())
  }
  throw new AppError('MODEL_NOT_STAGED', {
    message: `the model "${model}" is in none of these folders: ${searched.join(', ')}`,
    hint: `download it once, for instance with: huggingface-cli download ${model.replace(':', ' --revision ')}`,
  })
}

function here(): ModelPlaces {
  return { env: process.env, home: process.getBuiltinModule('node:os').homedir(), mount: '/' }
}

/** A repository in a Hugging Face cache: the snapshot that a ref names. */
interface CachedRepository {
  folder: string
  revision: string
  toString(): string
}

function candidates(model: string, { env, home, mount }: ModelPlaces): (string | CachedRepository)[] {
  const { join } = process.getBuiltinModule('node:path')
  const [repository = '', revision] = model.split(':', 2)
  const [owner = '', name = ''] = repository.split('/', 2)
  const cached = (hub: string): CachedRepository => {
    const folder = join(hub, `models--${owner}--${name}`)
    return { folder, revision: revision ?? 'main', toString: () => folder }
  }
  const store = join(mount, 'runpod/model-store/huggingface', owner, name)
  const hubs = [
    join(mount, 'runpod-volume/huggingface-cache/hub'),
    env.HF_HUB_CACHE,
    env.HF_HOME && join(env.HF_HOME, 'hub'),
    join(home, '.cache/huggingface/hub'),
  ]
  const staged = env.MODEL_REVISION ? [join(store, env.MODEL_REVISION)] : []
  return [...staged, ...hubs.filter((hub) => hub !== undefined && hub !== '').map((hub) => cached(hub!))]
}

function snapshotOf({ folder, revision }: CachedRepository): string | null {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
  const { join } = process.getBuiltinModule('node:path')
  const ref = join(folder, 'refs', revision)
  if (existsSync(ref)) return join(folder, 'snapshots', readFileSync(ref, 'utf8').trim())
  // A full commit has no ref: it names its snapshot itself.
  const direct = join(folder, 'snapshots', revision)
  return existsSync(direct) ? direct : null
}
