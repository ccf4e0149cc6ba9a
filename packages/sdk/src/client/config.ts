import { AppError, checkEndpointName } from '@flash/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Which endpoint a client means. */
export type Addressee =
  | { kind: 'id'; id: string }
  | { kind: 'name'; app: string; environment: string; name: string }
  /** Of the own app, wherever that is. */
  | { kind: 'image'; name: string; config: object }

/** What `endpoint()` was told. */
export interface ClientPlan {
  to: Addressee
  /** What messages call the endpoint. */
  label: string
  input: StandardSchemaV1 | undefined
  output: StandardSchemaV1 | undefined
  /** Also code that a dev server runs may call it. */
  isLive: boolean
}

/** The platform's own. */
const defaultEnvironment = 'default'

/** Reads a config that may come from JavaScript; throws `BAD_CONFIG`, and `PLUGIN_MISSING` for what is no client. */
export function parseClientConfig(config: unknown): ClientPlan {
  if (typeof config !== 'object' || config === null) {
    throw badConfig('endpoint() takes an object', clients)
  }
  const fields = config as Record<string, unknown>
  const to = parseAddressee(fields)
  return {
    to,
    label: to.kind === 'id' ? to.id : to.name,
    input: parseSchema(fields, 'input'),
    output: parseSchema(fields, 'output'),
    isLive: (fields.dev as { target?: unknown } | undefined)?.target === 'live',
  }
}

function parseAddressee(fields: Record<string, unknown>): Addressee {
  const { id, app, name, image, environment = defaultEnvironment } = fields
  if (id !== undefined && (app !== undefined || image !== undefined)) {
    throw badConfig(
      '`id` already says which endpoint is meant',
      'leave out `app` and `image`, or leave out `id`',
    )
  }
  if (id !== undefined) {
    // It becomes a part of a path, and of the name of a host.
    if (typeof id === 'string' && /^[a-z\d](?:[\w-]{0,62}[a-z\d])?$/i.test(id)) return { kind: 'id', id }
    throw badConfig(
      '`id` is no id of an endpoint: letters, digits and `-`, 64 at most',
      'copy it from the account',
    )
  }
  if (image !== undefined) return parseImage(fields)
  if (app === undefined) throw pluginMissing('endpoint() with routes')
  return {
    kind: 'name',
    app: parseName('app', app),
    environment: parseName('environment', environment),
    name: parseName('name', name),
  }
}

function parseImage(fields: Record<string, unknown>): Addressee {
  const { app, image, name, input: _input, output: _output, ...config } = fields
  if (app !== undefined) {
    throw badConfig(
      'an endpoint of another app has its `image` already',
      'leave out `image`, or `app` for an endpoint of this one',
    )
  }
  if (typeof image !== 'string' || image === '')
    throw badConfig('`image` is no name of an image', 'write it as `docker pull` takes it: `owner/name:tag`')
  const problem = typeof name === 'string' ? checkEndpointName(name) : 'is missing'
  if (problem === undefined)
    return { kind: 'image', name: name as string, config: { ...config, image, name } }
  const given = typeof name === 'string' ? ` ${JSON.stringify(name.slice(0, 64))}` : ''
  throw badConfig(
    `\`name\`${given} of endpoint({ image, name }) ${problem}`,
    'give it the name that the endpoint gets on the account',
  )
}

/** What a header cannot carry, the platform has no name for either. */
function parseName(field: string, value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(value)) return value
  throw badConfig(
    `\`${field}\` of endpoint({ app, name }) is ${typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : `a value of type ${typeof value}`}, and has to be a name`,
    'use the name that the account shows: ASCII, 200 characters at most',
  )
}

function parseSchema(
  fields: Record<string, unknown>,
  field: 'input' | 'output',
): StandardSchemaV1 | undefined {
  const schema = fields[field] as StandardSchemaV1 | undefined
  if (schema === undefined || typeof schema?.['~standard']?.validate === 'function') return schema
  throw badConfig(
    `\`${field}\` is not a Standard Schema: it has no "~standard".validate`,
    'use a schema of zod, valibot, arktype or another library that implements Standard Schema',
  )
}

function badConfig(message: string, hint: string): AppError {
  return new AppError('BAD_CONFIG', { message, hint })
}

const clients =
  'write `endpoint({ id })`, `endpoint({ app, name })` or `endpoint({ image, name })` for a client of an endpoint'

/** What only compiled code has. `what`: how it was called. */
export function pluginMissing(what: string): AppError {
  return new AppError('PLUGIN_MISSING', {
    message: `${what} was called in a module that did not go through the plugin: add flash() from 'unplugin-flash/vite' to the plugins in vite.config.ts, or run scripts through Vite with it`,
    hint: clients,
  })
}
