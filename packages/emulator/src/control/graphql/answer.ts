import { AppError } from '@flash/protocol'
import {
  buildSchema,
  type DocumentNode,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  validate,
} from 'graphql'
import { isSameKey, parseKey } from '../authorization.ts'
import { readJson } from '../body.ts'
import type { AccountContext } from '../store.ts'
import { appMutations, appQueries } from './app-operations.ts'
import { endpointMutations, endpointQueries } from './endpoint-operations.ts'
import { inputDefinitions } from './inputs.ts'
import { findOperation, parseQuery } from './limits.ts'
import { podMutations, podQueries } from './pod-operations.ts'
import { typeDefinitions } from './types.ts'

const schema = buildSchema(typeDefinitions + inputDefinitions)

const resolvers = {
  ...endpointQueries,
  ...appQueries,
  ...podQueries,
  ...endpointMutations,
  ...appMutations,
  ...podMutations,
}

/** A program that has no key yet asks for one with these. */
const openFields = new Set(['createFlashAuthRequest', 'flashAuthRequestStatus', '__typename'])

/**
 * `POST /graphql`. Errors of operations come with status 200 and the key `errors`, which is left out otherwise;
 * 401 is for a wrong key, 400 and 413 for what is no request.
 */
export async function answerGraphql(ctx: AccountContext, request: Request): Promise<Response> {
  if (request.method !== 'POST') return toErrors(405, 'a GraphQL request is a POST', { allow: 'POST' })
  try {
    const { query, variables, operationName } = parseBody(await readJson(request))
    const result = await answerQuery(ctx, { query, variables, operationName, isKnown: hasKey(ctx, request) })
    return result === 'refused' ? toErrors(401, 'Unauthorized') : toJson(200, result)
  } catch (error) {
    if (error instanceof AppError)
      return toErrors(error.code === 'PAYLOAD_TOO_LARGE' ? 413 : 400, error.message)
    throw error
  }
}

interface Query {
  query: string
  variables: Record<string, unknown>
  operationName?: string
}

async function answerQuery(
  ctx: AccountContext,
  { query, variables, operationName, isKnown }: Query & { isKnown: boolean },
): Promise<FormattedExecutionResult | 'refused'> {
  try {
    // To whom no key is known, only what needs none is told, mistakes in the query included.
    const document = parseQuery(query)
    const operation = findOperation(document, operationName)
    if (!isKnown && !isOpen(operation)) return 'refused'
    const mistakes = validate(schema, document, undefined, { maxErrors: 20 })
    if (mistakes.length > 0) return toResult(mistakes)
    return await run(ctx, document, variables, operationName)
  } catch (error) {
    if (!isKnown) return 'refused'
    if (error instanceof GraphQLError) return toResult([error])
    if (error instanceof RangeError) return toResult([new GraphQLError('the query is nested too deep')])
    throw error
  }
}

async function run(
  ctx: AccountContext,
  document: DocumentNode,
  variableValues: Record<string, unknown>,
  operationName?: string,
): Promise<FormattedExecutionResult> {
  const { data, errors } = await execute({
    schema,
    document,
    rootValue: resolvers,
    contextValue: ctx,
    variableValues,
    operationName,
  })
  if (!errors?.length) return { data }
  return { errors: errors.map(toError), data: data ?? null }
}

function toResult(errors: readonly GraphQLError[]): FormattedExecutionResult {
  return { errors: errors.map(toError), data: null }
}

/** What is not meant for the caller stays here. */
function toError(error: GraphQLError) {
  const cause = error.originalError
  const isOurs = !cause || cause instanceof AppError || cause instanceof GraphQLError
  return { message: isOurs ? error.message : 'internal server error', path: error.path }
}

/** Whether every field of an operation is for those without a key. */
function isOpen(operation: OperationDefinitionNode | undefined): boolean {
  const selections = operation?.selectionSet.selections ?? []
  return (
    selections.length > 0 &&
    selections.every((node) => node.kind === Kind.FIELD && openFields.has(node.name.value))
  )
}

function hasKey(ctx: AccountContext, request: Request): boolean {
  const key =
    parseKey(request.headers.get('authorization')) ?? new URL(request.url).searchParams.get('api_key')
  return isSameKey(key ?? undefined, ctx.apiKey)
}

function parseBody(body: unknown): Query {
  if (!isObject(body)) throw badRequest('the body is no object with a query')
  const { query, variables, operationName } = body
  if (typeof query !== 'string') throw badRequest('query: is no text')
  if (!isObject(variables ?? {})) throw badRequest('variables: is no object')
  if (typeof (operationName ?? '') !== 'string') throw badRequest('operationName: is no text')
  return {
    query,
    variables: (variables ?? {}) as Record<string, unknown>,
    operationName: (operationName as string | null | undefined) ?? undefined,
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function badRequest(message: string): AppError {
  return new AppError('BAD_REQUEST', { message })
}

function toErrors(status: number, message: string, headers?: Record<string, string>): Response {
  return toJson(status, { errors: [{ message }] }, headers)
}

function toJson(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}
