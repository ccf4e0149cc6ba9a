const reservedPrefixes = ['FLASH_', '_FLASH_', 'RUNPOD_'] as const
const reservedNames = ['PORT', 'PORT_HEALTH', 'MODEL_REVISION', 'NODE_OPTIONS', 'LD_PRELOAD'] as const

/** The account key: the only reserved name an endpoint may ask for, by name or as a secret, never as a literal. */
const ACCOUNT_KEY_NAME = 'RUNPOD_API_KEY'

/** Why an endpoint cannot have a variable of this name, as the end of a sentence; `undefined` when it can. */
export function refuseEnvName(name: string, form: 'byName' | 'literal' | 'secret'): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return 'a name has letters, digits and _ and does not begin with a digit'
  const upper = name.toUpperCase()
  if (upper === ACCOUNT_KEY_NAME) return refuseAccountKey(name, form)
  const prefix = reservedPrefixes.find((candidate) => upper.startsWith(candidate))
  if (prefix) return `names that begin with ${prefix} are set by the platform or by flash`
  return reservedNames.some((reserved) => reserved === upper)
    ? 'this variable is set by the platform or by flash'
    : undefined
}

function refuseAccountKey(name: string, form: 'byName' | 'literal' | 'secret'): string | undefined {
  if (name !== ACCOUNT_KEY_NAME) return `write it ${ACCOUNT_KEY_NAME}`
  if (form !== 'literal') return undefined
  return `a literal would be in the manifest for everybody to read; use env: ['${ACCOUNT_KEY_NAME}'] or { ${ACCOUNT_KEY_NAME}: { secret: '…' } }`
}
