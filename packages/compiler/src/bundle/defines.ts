/** What a build knows about names that no module declares: name → expression. */
export type Defines = Readonly<Record<string, string>>

export interface DefineOptions {
  mode: string
  /** As in Vite: text is an expression, anything else is the value itself. */
  define: Readonly<Record<string, unknown>>
  /** `import.meta.env` of the host: public values only. */
  env: Readonly<Record<string, unknown>>
}

const META_ENV = 'import.meta.env'

/**
 * Vite's rules for servers: `import.meta.env` is replaced, as one object or by member, and `process.env` is left alone unless
 * `define` names it. A member that is not there is `undefined`.
 */
export function createDefines({ mode, define, env }: DefineOptions): Defines {
  const given = Object.entries(define).map(([key, value]) => [key, toExpression(value)] as const)
  const members = new Map<string, string>()
  for (const [key, value] of Object.entries({ MODE: mode, PROD: true, DEV: false, ...env, SSR: true }))
    members.set(key, JSON.stringify(value) ?? 'undefined')
  for (const [key, text] of given) {
    if (key === META_ENV) for (const [name, value] of membersOf(text)) members.set(name, value)
    if (key.startsWith(`${META_ENV}.`)) members.set(key.slice(META_ENV.length + 1), text)
  }
  const sorted = [...members].sort(([one], [other]) => (one < other ? -1 : 1))
  const whole = sorted.map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(', ')
  return {
    ...Object.fromEntries(given),
    ...Object.fromEntries(sorted.map(([name, text]) => [`${META_ENV}.${name}`, text])),
    [`${META_ENV}.*`]: 'undefined',
    [META_ENV]: `{${whole}}`,
    'import.meta.hot': 'undefined',
  }
}

function toExpression(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

function membersOf(text: string): [string, string][] {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).map(([name, member]) => [name, JSON.stringify(member)])
  } catch {
    return []
  }
}
