import type { PluginContext } from '../context.ts'

/** Shorter values are found by chance. */
const LEAST_CHARACTERS = 8

const ACCOUNT_KEY = /\brpa_[A-Za-z0-9]{24,}/

/** Values that must not reach a browser, by the name under which a message may speak of them. */
export async function findSecrets(context: PluginContext): Promise<Map<string, string>> {
  const { project, setup, key } = context
  const secrets = new Map([['the key of the project', Buffer.from(key).toString('base64url')]])
  const endpoints = new Set(project.functions().map(({ endpoint }) => endpoint))
  for (const endpoint of endpoints) {
    const { env } = await project.config(endpoint)
    for (const wanted of env) {
      if (wanted.kind === 'literal') continue
      const name = wanted.kind === 'secret' ? wanted.secret : wanted.name
      const value = process.env[name] ?? setup.envFiles[name]
      // What Vite gives to pages was made public by its prefix.
      if (value && value.length >= LEAST_CHARACTERS && !Object.values(setup.env).includes(value))
        secrets.set(`the value of ${name}`, value)
    }
  }
  return secrets
}

/** What of it a text holds, in words that do not repeat it. */
export function findSecretIn(text: string, secrets: Map<string, string>): string | null {
  for (const [name, value] of secrets) if (text.includes(value)) return name
  return ACCOUNT_KEY.test(text) ? 'a key of a Runpod account' : null
}
