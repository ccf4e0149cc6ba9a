import type { ErrorCode } from '../codes.ts'
import { checkEndpointName } from '../endpoint-config/name.ts'
import { AppError } from '../error.ts'
import type { CallableFact, ParamFact, RouteFact } from '../facts.ts'
import { configShape } from './config-shape.ts'
import {
  MANIFEST_VERSION,
  type Manifest,
  type ManifestBundle,
  type ManifestEndpoint,
  type ManifestExternal,
  type ManifestFunction,
} from './schema.ts'
import {
  fields,
  flag,
  isObject,
  listOf,
  matching,
  Misfit,
  nullable,
  oneOf,
  optional,
  passing,
  recordOf,
  text,
  whole,
} from './shape.ts'

/**
 * Reads `flash_manifest.json`.
 *
 * - `place`: what an error calls the file.
 * - throws `MANIFEST_TOO_NEW` for a version this reader does not know, `BAD_MANIFEST` for the first value that is not what it
 *   should be. Names of endpoints can be used as folders, and paths of files lie below theirs.
 */
export function parseManifest(text: string, place: string): Manifest {
  const data = parseJson(text, place)
  const version = isObject(data) ? data.schemaVersion : undefined
  if (Number.isSafeInteger(version) && (version as number) > MANIFEST_VERSION) {
    throw new AppError('MANIFEST_TOO_NEW', {
      message: `${place} has version ${version as number}, and this version of unplugin-flash reads up to ${MANIFEST_VERSION}`,
      hint: 'use the version of unplugin-flash that built it, or build again with this one',
    })
  }
  try {
    manifestShape(data, '')
  } catch (error) {
    throw error instanceof Misfit ? refuse('BAD_MANIFEST', place, error.message) : error
  }
  return data as Manifest
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refuse('BAD_MANIFEST', place, `it is no JSON (${(error as Error).message})`)
  }
}

function refuse(code: ErrorCode, place: string, what: string): AppError {
  return new AppError(code, {
    message: `${place} cannot be used: ${what}`,
    hint: 'build again: run `vite build`',
  })
}

const sha256 = matching('a sha256 in hex', /^[0-9a-f]{64}$/)
const functionId = matching('16 letters and digits', /^[a-z2-7]{16}$/)
const endpointName = passing(checkEndpointName)
const innerPath = matching(
  'a path below the folder of the endpoint',
  /^(?!\/)(?!(?:.*\/)?\.{0,2}(?:\/|$))[^\\:\0]+$/,
)

const param = fields<ParamFact>({ name: text, kind: oneOf('plain', 'rest', 'pattern'), optional: flag })

const callable = fields<CallableFact>({
  name: text,
  kind: oneOf('function', 'generator'),
  params: nullable(listOf(param)),
})

const route = fields<RouteFact>({
  method: oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'WS'),
  path: text,
  schemas: listOf(oneOf('params', 'query', 'body', 'response')),
  local: optional(oneOf(true)),
})

const functionShape = fields<ManifestFunction>({
  id: functionId,
  path: text,
  prefix: text,
  exportPath: text,
  kind: oneOf('function', 'generator', 'class', 'route', 'web'),
  route: optional(route),
  callables: listOf(callable),
  constructorParams: nullable(listOf(param)),
  hasInput: flag,
  hasOutput: flag,
  setup: nullable(text),
  source: text,
})

const bundle = fields<ManifestBundle>({
  hash: sha256,
  bytes: whole(0),
  gzipBytes: whole(0),
  files: listOf(fields<ManifestBundle['files'][number]>({ path: innerPath, bytes: whole(0), hash: sha256 })),
})

const external = fields<ManifestExternal>({
  name: text,
  version: text,
  reason: oneOf('listed', 'native', 'missing'),
})

const manifestShape = fields<Manifest>({
  schemaVersion: oneOf(MANIFEST_VERSION),
  app: text,
  workerKey: optional(text),
  wireVersion: whole(1),
  node: whole(1),
  endpoints: recordOf(
    endpointName,
    fields<ManifestEndpoint>({
      kind: oneOf('queue', 'balanced'),
      functions: listOf(functionShape),
      config: configShape,
      configHash: sha256,
      bundle,
      externals: listOf(external),
      calls: listOf(endpointName),
      clients: optional(listOf(text)),
    }),
  ),
})
