import type { JsonSchema } from '@flash/compiler'
import type { Answer } from './types.ts'

const text: JsonSchema = { type: 'string' }
const count: JsonSchema = { type: 'integer', minimum: 0 }
const milliseconds = (description: string): JsonSchema => ({ type: 'number', minimum: 0, description })
const counts = (...names: string[]): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, count])),
  required: names,
})

export function schemaRef(name: keyof typeof fixedSchemas): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** Shapes that are the same for all functions. */
export const fixedSchemas = {
  JobState: {
    type: 'string',
    enum: ['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'],
  },
  Job: {
    type: 'object',
    properties: { id: text, status: { $ref: '#/components/schemas/JobState' } },
    required: ['id', 'status'],
  },
  JobStatus: {
    type: 'object',
    properties: {
      id: text,
      status: { $ref: '#/components/schemas/JobState' },
      delayTime: milliseconds('Milliseconds until a worker took it.'),
      executionTime: milliseconds('Milliseconds on the worker.'),
      workerId: text,
      output: { description: 'The result; while it runs, the latest progress.' },
      error: { ...text, description: 'What the function threw, as JSON in a text.' },
    },
    required: ['id', 'status'],
  },
  QueueHealth: {
    type: 'object',
    properties: {
      jobs: counts('completed', 'failed', 'inProgress', 'inQueue', 'retried'),
      workers: counts('idle', 'initializing', 'ready', 'running', 'throttled', 'unhealthy'),
    },
    required: ['jobs', 'workers'],
  },
  Purged: {
    type: 'object',
    properties: { removed: count, status: { const: 'completed' } },
    required: ['removed', 'status'],
  },
  Problem: {
    type: 'object',
    description: 'Why a request was not answered, as RFC 9457 has it.',
    properties: {
      type: { const: 'about:blank' },
      title: { ...text, description: 'The code again.' },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: { ...text, description: 'What programs compare.' },
      message: text,
      hint: { ...text, description: 'What to do next.' },
      data: { description: 'Details; for an input that does not fit, `field` names the place.' },
      at: {
        type: 'object',
        description: 'The place in the source.',
        properties: { file: text, line: { type: 'integer' }, column: { type: 'integer' } },
        required: ['file', 'line', 'column'],
      },
      frame: { ...text, description: 'The lines around it.' },
    },
    required: ['type', 'title', 'status', 'code', 'message'],
  },
  HandlerError: {
    type: 'object',
    description: 'What a handler threw.',
    properties: { code: text, message: text, hint: text, data: {} },
    required: ['code', 'message'],
  },
} satisfies Record<string, JsonSchema>

const problem = { 'application/problem+json': { schema: schemaRef('Problem') } }
const handlerError = { 'application/json': { schema: schemaRef('HandlerError') } }

export function responseRef(name: keyof typeof fixedResponses): { $ref: string } {
  return { $ref: `#/components/responses/${name}` }
}

export const fixedResponses = {
  BadInput: { description: 'The input does not fit; `data.field` names the place.', content: problem },
  JobNotFound: { description: 'No job has this id here, or not any more.', content: problem },
  Failed: { description: 'The request could not be answered.', content: problem },
  HandlerFailed: {
    description:
      'What the handler threw: 400 for a `RemoteError`, 500 `INTERNAL` without details for everything else. Or why the request did not reach it.',
    content: { ...handlerError, ...problem },
  },
  NotFitting: {
    description: 'A value does not fit its schema; `data.field` names it: `query.page`.',
    content: { ...handlerError, ...problem },
  },
} satisfies Record<string, Answer>
