import type { PluginContext } from '../context.ts'

/** What must not reach a browser: in which words a message may speak of it, and how it looks wherever text is written. */
export interface Secret {
  name: string
  forms: string[]
}

const ACCOUNT_KEY = /\brpa_[A-Za-z0-9]{24,}/g

/** The key of the project, and the values of variables that endpoints name and that look like secrets. */
export async function findSecrets(context: PluginContext): Promise<Secret[]> {
  const { project, setup, key } = context
  const secrets = [toSecret('the key of the project', Buffer.from(key).toString('base64url'))]
  const endpoints = new Set(project.functions().map(({ endpoint }) => endpoint))
  for (const endpoint of endpoints) {
    const { env } = await project.config(endpoint)
    for (const wanted of env) {
      if (wanted.kind === 'literal') continue
      const name = wanted.kind === 'secret' ? wanted.secret : wanted.name
      const value = process.env[name] ?? setup.envFiles[name]
      // What Vite gives to pages was made public by its prefix.
      if (!value || Object.values(setup.env).includes(value)) continue
      if (looksSecret(name, value, wanted.kind === 'secret'))
        secrets.push(toSecret(`the value of ${name}`, value))
    }
  }
  return secrets
}

const SECRET_NAME = /key|token|secret|passw|pwd|credential|private|auth|dsn|cookie|salt/i

/** A host, a region or a flag is found in pages by chance; what was made to be unguessable is not. */
function looksSecret(name: string, value: string, isDeclared: boolean): boolean {
  const distinct = new Set(value).size
  if (distinct < 8) return false
  if (isDeclared || SECRET_NAME.test(name)) return value.length >= 8
  const isMixed = /\d/.test(value) && /[A-Za-z]/.test(value)
  const isPublicAddress = /^[a-z]+:\/\/[^@]*$/i.test(value)
  return value.length >= 16 && distinct >= 10 && isMixed && !isPublicAddress
}

const LONG_LINE = 24

function toSecret(name: string, value: string): Secret {
  const lines = value.split(/\r?\n/)
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    value.replaceAll('\\', '\\\\').replaceAll('`', '\\`'),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
    // A key in many lines is written with whatever line ends its text has.
    ...(lines.length > 1
      ? lines.filter((line) => line.length >= LONG_LINE && !line.startsWith('-----'))
      : []),
  ]
  return { name, forms: [...new Set(forms)] }
}

/** What of it a text holds, in words that do not repeat it. */
export function findSecretIn(text: string, secrets: readonly Secret[]): string | null {
  for (const { name, forms } of secrets) if (forms.some((form) => text.includes(form))) return name
  const keys = text.match(ACCOUNT_KEY) ?? []
  // One character again and again stands for a key in an example.
  return keys.some((key) => new Set(key).size >= 12) ? 'a key of a Runpod account' : null
}
