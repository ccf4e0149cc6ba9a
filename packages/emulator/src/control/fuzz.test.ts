import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { devInput, documents, flashInput } from './testing/documents.ts'
import { createWorld, type World } from './testing/world.ts'

/** What a client might send in the place of any value. */
const odd = fc.oneof(
  fc.constantFrom(
    null,
    '',
    0,
    -1,
    1e300,
    0.5,
    true,
    [],
    {},
    '__proto__',
    'constructor',
    '\0',
    'x'.repeat(300),
  ),
  fc.constantFrom('QB', 'LB', 'QUEUE', 'ADA_24', '-NVIDIA L4', ',', 'REQUEST_COUNT', 'cpu3c-2-4', '12.8'),
  fc.jsonValue({ maxDepth: 3 }),
)

const deleteTemplate = 'mutation ($name: String) { deleteTemplate(templateName: $name) }'
const saveRegistry = 'mutation ($input: SaveRegistryAuthInput) { saveRegistryAuth(input: $input) { id } }'

/** A value of which some fields, at any depth, are something else. */
function changed(value: unknown): fc.Arbitrary<unknown> {
  const kept =
    Array.isArray(value) && value.length > 0
      ? fc.tuple(...value.map(changed))
      : typeof value === 'object' && value !== null
        ? fc.record(Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one)])), {
            requiredKeys: [],
          })
        : fc.constant(value)
  return fc.oneof({ weight: 12, arbitrary: kept }, { weight: 1, arbitrary: odd })
}

/** The account with one of everything. */
async function fill(world: World) {
  const { graphql, rest } = world
  const volume = (await rest('POST', '/v2/network-volumes', { name: 'v', size: 10, dataCenter: 'EU-RO-1' }))
    .body.id
  const app = (await graphql(documents.createApp, { input: { name: 'demo' } })).createFlashApp.id
  const place = { flashAppId: app, name: 'default' }
  const environment = (await graphql(documents.createEnvironment, { input: place })).createFlashEnvironment.id
  await graphql(documents.createSecret, { input: { name: 'hf', value: 'x' } })
  const input = { ...flashInput, flashEnvironmentId: environment, networkVolumeId: volume }
  const endpoint = (await graphql(documents.saveEndpoint, { input })).saveEndpoint
  return {
    volume,
    app,
    environment,
    endpoint: endpoint.id as string,
    template: endpoint.templateId as string,
  }
}

/** After a refusal all is as before; after anything, all can be read. */
async function check(
  world: World,
  send: () => Promise<{ status: number; isRefused: boolean; text: string }>,
) {
  // An account that never rests runs into its rates.
  world.clock.advance(60_000)
  const before = JSON.stringify(world.account.snapshot())
  const { status, isRefused, text } = await send()
  expect(status).toBeLessThan(500)
  expect(text).not.toContain('internal server error')
  if (isRefused) expect(JSON.stringify(world.account.snapshot())).toBe(before)
  for (const list of ['serverless', 'templates', 'network-volumes', 'pods', 'registries'])
    expect((await world.rest('GET', `/v2/${list}`)).status).toBe(200)
  const { errors } = await world.ask(documents.apps)
  expect(errors).toBeUndefined()
}

test('GraphQL: known documents with odd variables', async () => {
  const world = await createWorld()
  const ids = await fill(world)
  const requests: [string, object][] = [
    [documents.saveEndpoint, { input: flashInput }],
    [documents.saveEndpoint, { input: { ...devInput, id: ids.endpoint } }],
    [documents.saveEndpointOfFlash, { input: { ...devInput, volumes: [{ volumeId: ids.volume }] } }],
    [documents.saveTemplate, { input: { ...flashInput.template, id: ids.template, volumeInGb: 0 } }],
    [documents.saveTemplate, { input: { name: 'other', imageName: 'i', env: [{ key: 'a', value: 'b' }] } }],
    [documents.createApp, { input: { name: 'more' } }],
    [documents.createEnvironment, { input: { flashAppId: ids.app, name: 'more' } }],
    [documents.deleteEnvironment, { flashEnvironmentId: ids.environment }],
    [documents.prepare, { input: { flashAppId: ids.app, tarballSize: 10 } }],
    [documents.finalize, { input: { flashAppId: ids.app, objectKey: 'x', manifest: { a: [1] } } }],
    [documents.activate, { input: { flashEnvironmentId: ids.environment, flashBuildId: 'x' } }],
    [documents.createSecret, { input: { name: 'more', value: 'x', description: 'y' } }],
    [documents.environmentByName, { input: { flashAppId: ids.app, name: 'default' } }],
    [documents.authRequestStatus, { flashAuthRequestId: 'x' }],
    [
      documents.deployPod,
      { input: { name: 'p', imageName: 'i', gpuTypeIdList: ['NVIDIA L4'], env: [{ key: 'a' }] } },
    ],
    [
      documents.deployCpuPod,
      {
        input: {
          name: 'p',
          imageName: 'i',
          instanceId: 'cpu3c-2-4',
          ports: '80/http',
          dataCenterIds: ['EU-RO-1'],
          volumeMounts: [{ volumeId: ids.volume, mountPath: '/a' }],
        },
      },
    ],
    [documents.deleteSecret, { id: 'x' }],
    [deleteTemplate, { name: 'other' }],
    [saveRegistry, { input: { name: 'r', username: 'u', password: 'p' } }],
    [documents.build, { input: 'x' }],
    [documents.updateManifest, { input: { flashBuildId: 'x', manifest: {} } }],
    [documents.cpuStock, { cpuFlavorInput: { id: 'cpu3c' }, specificsInput: { instanceId: 'cpu3c-2-4' } }],
    [documents.gpuStock, { gpuTypesInput: { ids: ['ADA_24'] }, lowestPriceInput: { gpuCount: 1 } }],
  ]
  const request = fc
    .constantFrom(...requests)
    .chain(([query, variables]) => fc.tuple(fc.constant(query), changed(variables)))
  await fc.assert(
    fc.asyncProperty(request, ([query, variables]) =>
      check(world, async () => {
        const { status, body } = await world.rest('POST', '/graphql', { query, variables })
        return { status, isRefused: Boolean(body.errors), text: JSON.stringify(body) }
      }),
    ),
    { numRuns: 300 },
  )
})

test('GraphQL: documents with parts that are missing, doubled or moved', async () => {
  const world = await createWorld()
  await fill(world)
  const tokens = Object.values(documents)
    .join(' ')
    .split(/(?<=[\s{}()!:,])|(?=[{}()!:,])/)
  const text = fc.oneof(
    fc.array(fc.constantFrom(...tokens), { maxLength: 40 }).map((parts) => parts.join('')),
    fc
      .tuple(
        fc.constantFrom(...Object.values(documents)),
        fc.nat(300),
        fc.nat(20),
        fc.string({ maxLength: 5 }),
      )
      .map(([document, at, count, more]) => document.slice(0, at) + more + document.slice(at + count)),
    fc.string({ unit: 'binary', maxLength: 50 }),
  )
  await fc.assert(
    fc.asyncProperty(text, (query) =>
      check(world, async () => {
        const { status, body } = await world.rest('POST', '/graphql', { query })
        return { status, isRefused: Boolean(body.errors), text: JSON.stringify(body) }
      }),
    ),
    { numRuns: 300 },
  )
})

test('REST: known bodies with odd parts, at any path, with any method', async () => {
  const world = await createWorld()
  const ids = await fill(world)
  const endpoint = {
    name: 'n',
    image: 'i',
    type: 'QUEUE',
    cpu: [{ id: 'cpu3c', vcpuCount: 2 }],
    gpu: {
      pools: ['ADA_24'],
      count: 1,
      excludedTypes: ['x'],
      minCudaVersion: '12.8',
      allowedCudaVersions: [],
    },
    scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
    workers: { min: 0, max: 3, idleTimeout: 10 },
    env: { A: '1' },
    networkVolumes: [ids.volume],
    dataCenterIds: ['EU-RO-1'],
  }
  const { gpu, cpu, ...rest } = endpoint
  const onCpu = { ...rest, cpu }
  const volume = { name: 'v', size: 20, dataCenter: 'EU-RO-1' }
  const template = {
    name: 't',
    image: 'i',
    mounts: { persistent: { size: 10, path: '/a' } },
    env: { A: '1' },
    ports: ['80/http'],
  }
  const mounts = { network: [{ volumeId: ids.volume, path: '/a' }] }
  const known: fc.Arbitrary<[string, string, unknown]>[] = (
    [
      ['POST', '/v2/serverless', onCpu],
      ['POST', '/v2/serverless', { ...rest, gpu }],
      ['PATCH', `/v2/serverless/${ids.endpoint}`, { ...rest, gpu, type: undefined }],
      ['POST', '/v2/templates', template],
      ['PATCH', `/v2/templates/${ids.template}`, template],
      ['POST', '/v2/network-volumes', volume],
      ['PATCH', `/v2/network-volumes/${ids.volume}`, { name: 'v', size: 30 }],
      ['POST', '/v1/networkvolumes', { name: 'v', size: 10, dataCenterId: 'EU-RO-1' }],
      ['PATCH', `/v1/networkvolumes/${ids.volume}`, { name: 'v', size: 40 }],
      ['POST', '/v2/global-volumes', { name: 'g' }],
      ['POST', '/v2/registries', { name: 'r', username: 'u', password: 'p' }],
      ['POST', '/v2/pods', { name: 'p', image: 'i', cpu: { id: 'cpu3c', vcpuCount: 2 }, mounts }],
      ['PUT', '/v2/account/ssh-keys', { keys: ['ssh-a b'] }],
    ] as [string, string, object][]
  ).map(([method, path, body]) => fc.tuple(fc.constant(method), fc.constant(path), changed(body)))
  const strange = fc.tuple(
    fc.constantFrom('GET', 'POST', 'PATCH', 'PUT'),
    fc
      .tuple(fc.constantFrom('/v2/serverless', '/v2/pods', '/v1/networkvolumes', '/v2/catalog/gpus'), odd)
      .map(([path, part]) => `${path}/${String(part)}`),
    odd,
  )
  const request = fc.oneof(...known, strange)
  await fc.assert(
    fc.asyncProperty(request, ([method, path, body]) =>
      check(world, async () => {
        const answer = await world
          .rest(method, path, method === 'GET' ? undefined : body)
          .catch((error: Error) => ({ status: 404, body: error.message }))
        return { status: answer.status, isRefused: answer.status >= 400, text: JSON.stringify(answer.body) }
      }),
    ),
    { numRuns: 300 },
  )
})
