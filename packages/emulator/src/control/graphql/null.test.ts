import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'
import { expect, test } from 'vitest'
import { documents } from '../testing/documents.ts'
import { createWorld } from '../testing/world.ts'
import { inputDefinitions } from './inputs.ts'
import { typeDefinitions } from './types.ts'

const schema = buildSchema(typeDefinitions + inputDefinitions)
const fields = [schema.getQueryType()!, schema.getMutationType()!].flatMap((type) =>
  Object.values(type.getFields()).map((field) => [field, type.name.toLowerCase()] as const),
)
const withArguments = fields.filter(([{ args }]) => args.length > 0)

/** The deepest value that the schema lets through with `null` wherever it can stand below `depth`. */
function toNull(type: GraphQLInputType, depth: number): unknown {
  if (isNonNullType(type)) return isLeafType(type.ofType) ? 'x' : toNull(type.ofType, Math.max(depth, 1))
  if (depth === 0) return null
  if (isListType(type)) return [toNull(type.ofType, depth - 1)]
  if (!isInputObjectType(type)) return null
  const entries = Object.values(type.getFields()).map((one) => [one.name, toNull(one.type, depth - 1)])
  return Object.fromEntries(entries)
}

/** A document for a field of the root that sends `null` in the arguments as far down as `depth`. */
function createRequest(kind: string, { name, args, type }: GraphQLField<unknown, unknown>, depth: number) {
  const declared = args.map((one) => `$${one.name}: ${one.type}`).join(', ')
  const passed = args.map((one) => `${one.name}: $${one.name}`).join(', ')
  const selected = /^(?:String|JSON)\b/.test(String(type)) ? '' : '{ __typename }'
  return {
    query: `${kind} (${declared}) { ${name}(${passed}) ${selected} }`,
    variables: Object.fromEntries(args.map((one) => [one.name, toNull(one.type, depth)])),
  }
}

test.for(withArguments)('%s: null is answered wherever the schema lets it stand', async ([field, kind]) => {
  const { ask } = await createWorld()
  for (const depth of [0, 1, 2, 3, 4]) {
    const { query, variables } = createRequest(kind, field, depth)
    const { status, errors = [] } = await ask(query, variables)
    expect(status).toBe(200)
    for (const { message } of errors) expect(message).not.toMatch(/internal server error|Variable|Cannot/)
  }
})

test.for([
  [{ env: [null] }, 'env[0].key: is no name of a variable'],
  [{ env: [{ key: 'A', value: '1' }, { key: null }] }, 'env[1].key: is no name of a variable'],
  [{ env: [{ key: 'A=B' }] }, 'env[0].key: is no name of a variable'],
  [{ env: [{ key: 'A', value: '\0' }] }, 'env[0].value: contains a zero byte'],
] as const)('a pod and a template refuse the variables of %j', async ([fields, message]) => {
  const { ask, account } = await createWorld()
  const before = account.snapshot()
  const pod = { name: 'p', imageName: 'i', gpuTypeIdList: ['NVIDIA L4'], ...fields }
  expect((await ask(documents.deployPod, { input: pod })).errors).toMatchObject([{ message }])
  const template = { name: 't', imageName: 'i', ...fields }
  expect((await ask(documents.saveTemplate, { input: template })).errors).toMatchObject([{ message }])
  expect(account.snapshot()).toEqual(before)
})

test('a pod with mounts and variables that are null in part', async () => {
  const { graphql, rest } = await createWorld()
  const input = {
    name: 'p',
    imageName: 'i',
    gpuTypeIdList: ['NVIDIA L4'],
    volumeMounts: [null, { volumeId: null, mountPath: null }],
    dataCenterIds: [null],
    env: [{ key: 'A', value: null }],
  }
  const { id } = (await graphql(documents.deployPod, { input })).podFindAndDeployOnDemand
  expect((await rest('GET', `/v2/pods/${id}`)).body).toMatchObject({ env: { A: '' }, mounts: {} })
})
