import type { JsonSchema } from '@flash/compiler'
import type { QueueVerbName } from '../routes/verbs.ts'
import { queueVerbs } from '../routes/verbs.ts'
import type { Route } from '../routes/table.ts'
import { queueLimits } from '@flash/protocol'
import { responseRef, schemaRef } from './fixed-parts.ts'
import { toInput } from './queue-input.ts'
import type { Answer, Operation, Parameter, PathItem } from './types.ts'
import { toName, type Values } from './values.ts'

export interface QueueRoute {
  route: Route
  /** Without leading slash, where the file holds nothing else. */
  short: string | null
  values: Values
  /** The first of its endpoint, where what is about the whole endpoint is listed. */
  isFirst: boolean
}

type Describe = (given: QueueRoute) => Pick<Operation, 'summary' | 'responses'> & Partial<Operation>

const job = (): Answer => answer('The job.', schemaRef('Job'))

const describers: Partial<Record<QueueVerbName, Describe>> = {
  run_sync: (given) => ({
    summary: `Run ${nameOf(given)} and wait`,
    parameters: [waitParameter],
    requestBody: toBody(given),
    responses: { '200': status(given), '422': responseRef('BadInput') },
  }),
  run: (given) => ({
    summary: `Queue ${nameOf(given)}`,
    requestBody: toBody(given),
    responses: { '200': job(), '422': responseRef('BadInput') },
  }),
  status: (given) => ({ summary: 'Status and result of a job', responses: { '200': status(given) } }),
  stream: (given) => ({
    summary: 'What came since the last time',
    responses: { '200': answer('Items so far.', streamOf(given)) },
  }),
  cancel: () => ({ summary: 'Cancel a job', responses: { '200': job() } }),
  retry: () => ({ summary: 'Run a job again', responses: { '200': job() } }),
  health: () => ({
    summary: 'Jobs and workers of the endpoint',
    responses: { '200': answer('Counts.', schemaRef('QueueHealth')) },
  }),
  'purge-queue': () => ({
    summary: 'Remove all jobs that wait',
    responses: { '200': answer('How many.', schemaRef('Purged')) },
  }),
}

const { min, max, default: usual } = queueLimits.waitMs

const waitParameter: Parameter = {
  name: 'wait',
  in: 'query',
  required: false,
  schema: { type: 'integer', minimum: min, maximum: max, default: usual },
  description: 'Milliseconds to wait; then the job goes on, and its status is `IN_PROGRESS`.',
}

const ofEndpoint: ReadonlySet<string> = new Set(['retry', 'health', 'purge-queue'])

/** All addresses of one function or method. */
export function toQueuePaths(given: QueueRoute): [path: string, item: PathItem][] {
  return Object.entries(describers).flatMap(([verb, describe]): [string, PathItem][] => {
    if (ofEndpoint.has(verb) && !given.isFirst) return []
    const { method, takesId, ...rules } = queueVerbs[verb as QueueVerbName]
    const end = `/${verb}${takesId ? '/{id}' : ''}`
    const operation = toOperation(given, verb, describe(given), end)
    if (takesId) addId(operation)
    if ('serverOnly' in rules) operation['x-flash-server-only'] = true
    return [[pathOf(given.route.path) + end, { [method.toLowerCase()]: operation }]]
  })
}

function pathOf(path: string): string {
  return `/${path.split('/').map(encodeURIComponent).join('/')}`
}

function toOperation(
  given: QueueRoute,
  verb: string,
  described: ReturnType<Describe>,
  end: string,
): Operation {
  const { route, values } = given
  const note = values.note(['input', 'output'])
  return {
    operationId: `${toName(route.fact)}${methodOf(route)}_${verb.replace('-', '_')}`,
    tags: [route.fact.endpoint],
    ...described,
    description: describe(given, verb, note, end),
    responses: { ...described.responses, default: responseRef('Failed') },
    ...(note && described.requestBody && { 'x-flash-note': note }),
  }
}

function describe(
  { route, short, values }: QueueRoute,
  verb: string,
  note: string | null,
  end: string,
): string {
  const { fact, callable } = route
  if (ofEndpoint.has(verb)) return 'For programs: a page, this one included, may not ask for it.'
  const isStart = verb.startsWith('run')
  const also = short === null ? [] : [`Also at \`${pathOf(short)}${end}\`.`]
  const more = isStart ? ['A program may add `webhook` and `policy` beside `input`.'] : []
  const known = isStart && note ? [`Not fully known: ${note}.`] : []
  const said = (isStart && values.callable(callable.name)?.description) || null
  return [
    ...(said ? [said] : []),
    ...more,
    ...also,
    ...known,
    `Source: \`${fact.at.file}:${fact.at.line}\`.`,
  ].join('\n\n')
}

function addId(operation: Operation): void {
  operation.parameters = [
    { name: 'id', in: 'path', required: true, schema: { type: 'string' }, description: 'Of a job.' },
  ]
  operation.responses = { ...operation.responses, '404': responseRef('JobNotFound') }
}

function nameOf({ route: { fact, callable } }: QueueRoute): string {
  return fact.kind === 'class' ? `${fact.exportPath}.${callable.name}` : fact.exportPath
}

function methodOf({ fact, callable }: Route): string {
  return fact.kind === 'class' ? `_${callable.name}` : ''
}

function toBody({ route, values }: QueueRoute): Operation['requestBody'] {
  const schema: JsonSchema = {
    type: 'object',
    properties: { input: toInput(route.fact, route.callable, values) },
    required: ['input'],
  }
  return { required: true, content: { 'application/json': { schema } } }
}

function status(given: QueueRoute): Answer {
  const item = resultOf(given)
  const output: JsonSchema = givesItems(given) ? { type: 'array', items: item } : item
  const schema: JsonSchema = { allOf: [schemaRef('JobStatus'), { type: 'object', properties: { output } }] }
  return answer('The job as it is now; what the function threw is in `error`.', schema)
}

function streamOf(given: QueueRoute): JsonSchema {
  const item: JsonSchema = { type: 'object', properties: { output: resultOf(given) }, required: ['output'] }
  return {
    type: 'object',
    properties: { status: schemaRef('JobState'), stream: { type: 'array', items: item } },
    required: ['status', 'stream'],
  }
}

function givesItems({ route: { callable }, values }: QueueRoute): boolean {
  return callable.kind === 'generator' || values.callable(callable.name)?.answers === 'items'
}

function resultOf({ route: { callable }, values }: QueueRoute): JsonSchema {
  const told = values.told('output')
  if (told) return told
  const known = values.callable(callable.name)
  return known ? values.ofSource(known.result) : { description: 'the source does not tell its type' }
}

function answer(description: string, schema: JsonSchema): Answer {
  return { description, content: { 'application/json': { schema } } }
}
