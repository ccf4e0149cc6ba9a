import { parseDisk } from './compute.ts'
import { mergeEnv, parseEnv } from './env.ts'
import type { Problems } from './problems.ts'
import { matching, type Reader, readObject, type TextRule } from './reader.ts'
import type { CpuCompute, GpuCompute, ResolvedEndpointConfig } from './types.ts'

type Container = Pick<
  ResolvedEndpointConfig,
  'image' | 'diskGb' | 'args' | 'ports' | 'registryAuthId' | 'templateId' | 'env'
>

const imageRule = matching('an image reference such as "owner/image:tag"', /^[^\s]+$/)
const argsRule: TextRule = { what: 'a text', blank: true }
const registryRule: TextRule = { what: 'the id of a registry credential' }
const portRule: TextRule = {
  what: 'a port such as "8080/http" or "22/tcp"',
  check(text) {
    const port = Number(/^([1-9]\d{0,4})\/(?:http|tcp)$/.exec(text)?.[1])
    return port <= 65_535 ? undefined : `is not allowed; ${this.what} is`
  },
}

const contents = ['image', 'diskGb', 'args', 'ports', 'registryAuthId', 'env'] as const
const what =
  'a PodTemplate: { kind: "template", id } or { kind: "template", image, diskGb, args, ports, registryAuthId, env }'
const aliases = {
  disk: 'diskGb',
  containerdiskingb: 'diskGb',
  imagename: 'image',
  dockerargs: 'args',
  startcommand: 'args',
  startscript: 'args',
  containerregistryauthid: 'registryAuthId',
}

/** What a worker's container is made of: the endpoint's own fields over those of its template. */
export function parseContainer(
  problems: Problems,
  reader: Reader,
  compute: GpuCompute | CpuCompute,
): Container {
  const template = parseTemplate(problems, reader)
  const own = parseContents(problems, reader)
  return {
    image: own.image ?? template.image,
    diskGb: parseDisk(reader, compute, { template: template.diskGb, open: template.id !== null }),
    args: own.args ?? template.args,
    ports: own.ports ?? template.ports ?? [],
    registryAuthId: own.registryAuthId ?? template.registryAuthId,
    templateId: template.id,
    env: mergeEnv(template.env, own.env),
  }
}

function parseContents(problems: Problems, reader: Reader) {
  return {
    image: reader.text('image', imageRule, null),
    args: reader.text('args', argsRule, null),
    ports: reader.texts('ports', portRule) ?? null,
    registryAuthId: reader.text('registryAuthId', registryRule, null),
    env: parseEnv(problems, reader.raw('env'), [...reader.path, 'env']),
  }
}

type Template = ReturnType<typeof parseContents> & { id: string | null; diskGb: number | null }
const noTemplate: Template = {
  id: null,
  image: null,
  diskGb: null,
  args: null,
  ports: null,
  registryAuthId: null,
  env: [],
}

function parseTemplate(problems: Problems, parent: Reader): Template {
  if (!parent.has('template')) return noTemplate
  const path = [...parent.path, 'template']
  const reader = readObject(problems, parent.raw('template'), path, {
    what,
    keys: ['kind', 'id', ...contents],
    aliases,
  })
  if (!reader) return noTemplate
  if (reader.raw('kind') !== 'template') reader.refuse('kind', 'is not allowed; "template" is')
  const id = reader.text('id', { what: 'the id of a template' }, null)
  const beside = reader.has('id') ? contents.filter((key) => reader.has(key)) : []
  for (const key of beside)
    reader.refuse(key, 'cannot be beside the id of a template; write it on the endpoint', { hide: true })
  return { id, diskGb: reader.whole('diskGb', { min: 1 }, null), ...parseContents(problems, reader) }
}
