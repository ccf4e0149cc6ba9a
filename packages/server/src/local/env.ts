import { AppError, type ResolvedEndpointConfig } from '@flash/protocol'

/** What every local worker gets of this machine's variables; everything else is named in `env`. */
const inherited = [
  'PATH',
  'Path',
  'HOME',
  'USERPROFILE',
  'SYSTEMROOT',
  'SystemRoot',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LANG',
  'LC_ALL',
  'TZ',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'XDG_CACHE_HOME',
  'HF_HOME',
  'HF_HUB_CACHE',
  // Where endpoints of others are, for clients: an address, and no secret.
  'RUNPOD_ENDPOINT_BASE_URL',
]

export interface EnvSources {
  process: Record<string, string | undefined>
  /** Vite's `.env*` files of the mode, every prefix. */
  files: Record<string, string>
  /** Where a value can be put, in words: for the hint. */
  place: string
}

/**
 * The variables of an endpoint's worker: the allow-list of the machine, then what its config names.
 *
 * - a name is taken from the process, then from the `.env` files; a `{ secret }` from the variable of that name.
 * - throws `ENV_MISSING` naming every variable that has no value.
 */
export function resolveWorkerEnv(
  endpoint: string,
  env: ResolvedEndpointConfig['env'],
  sources: EnvSources,
): Record<string, string> {
  const resolved: Record<string, string> = {}
  for (const name of inherited) {
    const value = sources.process[name]
    if (value !== undefined) resolved[name] = value
  }
  return { ...resolved, ...resolveNamedEnv(endpoint, env, sources) }
}

/** Only what the config names; the same otherwise. */
export function resolveNamedEnv(
  endpoint: string,
  env: ResolvedEndpointConfig['env'],
  sources: EnvSources,
): Record<string, string> {
  const resolved: Record<string, string> = {}
  const missing: string[] = []
  const take = (name: string, from: string) => {
    const value = sources.process[from] ?? sources.files[from]
    if (value === undefined) missing.push(from)
    else resolved[name] = value
  }
  for (const wanted of env) {
    if (wanted.kind === 'literal') resolved[wanted.name] = wanted.value
    else take(wanted.name, wanted.kind === 'secret' ? wanted.secret : wanted.name)
  }
  if (missing.length === 0) return resolved
  throw new AppError('ENV_MISSING', {
    message: `endpoint "${endpoint}" names ${missing.map((name) => `"${name}"`).join(', ')} in env, and ${missing.length === 1 ? 'it has' : 'they have'} no value here`,
    hint: `put ${missing.join(', ')} ${sources.place}`,
    data: { missing },
  })
}
