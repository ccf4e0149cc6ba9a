import { describe, expect, test } from 'vitest'
import { devInput, documents, flashInput } from '../testing/documents.ts'
import { findSchemaIssues } from '../testing/schema.ts'
import { BASE, createWorld } from '../testing/world.ts'

const queueOnCpu = {
  name: 'n1',
  image: 'i:1',
  disk: 10,
  args: '',
  env: { A: '1' },
  timeout: 0,
  flashboot: 'FLASHBOOT',
  networkVolumes: [],
  type: 'QUEUE',
  dataCenterIds: ['EU-RO-1', 'US-KS-2'],
  cpu: [{ id: 'cpu3c', vcpuCount: 2 }],
  workers: { min: 0, max: 3, idleTimeout: 60 },
  scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
}

const balancedOnGpu = {
  name: 'api',
  image: 'i:2',
  type: 'LOAD_BALANCER',
  ports: ['80/http'],
  gpu: { pools: ['AMPERE_24'], excludedTypes: ['NVIDIA L4'], count: 1, minCudaVersion: '12.8' },
  scaling: { type: 'REQUEST_COUNT', requestCount: 4 },
}

describe('create', () => {
  test('a queue on CPUs', async () => {
    const { rest, endpoints } = await createWorld()
    const made = await rest('POST', '/v2/serverless', queueOnCpu)
    expect(made.status).toBe(201)
    const { id } = made.body
    expect(made.body).toMatchObject({
      ...queueOnCpu,
      gpu: null,
      cpu: [{ id: 'cpu3c', vcpuCount: 2, memory: 4 }],
      registry: null,
      createdAt: '2026-11-20T12:00:00.000Z',
      requestUrls: { run: `${BASE}/v2/${id}/run`, status: `${BASE}/v2/${id}/status/{job_id}` },
    })
    expect(endpoints.spec(id)).toMatchObject({
      image: 'i:1',
      env: { A: '1' },
      executionTimeoutMs: 600_000,
      idleTimeoutSeconds: 60,
      limits: { memoryBytes: 4e9, cpus: 2 },
    })
  })

  test('a load balancer on GPUs, with the defaults of REST', async () => {
    const { rest, endpoints, graphql } = await createWorld()
    const { body } = await rest('POST', '/v2/serverless', balancedOnGpu)
    expect(body).toMatchObject({
      gpu: { ...balancedOnGpu.gpu, allowedCudaVersions: [] },
      workers: { min: 0, max: 3, idleTimeout: 10 },
      timeout: 300_000,
      flashboot: 'OFF',
      requestUrls: { base: `${BASE}/lb/${body.id}`, health: `${BASE}/lb/${body.id}/ping` },
      env: { PORT: '80', PORT_HEALTH: '80' },
    })
    expect(endpoints.spec(body.id)).toMatchObject({
      kind: 'balanced',
      gpuTypeId: 'NVIDIA RTX A5000',
      gpuCount: 1,
    })
    const { myself } = await graphql(`{ myself { endpoint(id: "${body.id}") { gpuIds type } } }`)
    expect(myself.endpoint).toEqual({ gpuIds: 'AMPERE_24,-NVIDIA L4', type: 'LB' })
  })

  test('from a template: its container, its variables below those of the request, and no link to it', async () => {
    const { rest, endpoints } = await createWorld()
    const template = await rest('POST', '/v2/templates', {
      name: 't',
      image: 'i:1',
      env: { A: '1', B: '1' },
      serverless: true,
      allowedCudaVersions: ['12.8'],
    })
    const { name, type, scaling } = queueOnCpu
    const gpu = { pools: ['ADA_24'] }
    const sent = { name, type, scaling, gpu, templateId: template.body.id, env: { B: '2' } }
    const { body } = await rest('POST', '/v2/serverless', sent)
    expect(body).toMatchObject({
      image: 'i:1',
      env: { A: '1', B: '2' },
      gpu: { allowedCudaVersions: ['12.8'] },
    })
    await rest('PATCH', `/v2/templates/${template.body.id}`, { image: 'i:2' })
    expect(endpoints.spec(body.id)).toMatchObject({ image: 'i:1', version: 1 })
    expect((await rest('DELETE', `/v2/templates/${template.body.id}`)).status).toBe(204)
  })

  for (const [what, change, wanted, named] of [
    ['no compute', { cpu: undefined }, 400, 'exactly one of gpu and cpu'],
    ['both computes', { gpu: { pools: ['ADA_24'] } }, 400, 'exactly one of gpu and cpu'],
    ['an unknown field', { wokers: {} }, 422, 'wokers: is not a field'],
    ['an unknown field inside', { workers: { minimum: 1 } }, 422, 'workers.minimum'],
    ['no name', { name: undefined }, 422, 'name: is missing'],
    ['an empty name', { name: '' }, 422, 'name: must not be empty'],
    ['no image', { image: undefined }, 422, 'image'],
    ['a template that is not there', { templateId: 'none' }, 404, 'template not found'],
    ['a volume that is not there', { networkVolumes: ['none'] }, 404, 'network volume not found'],
    ['a registry that is not there', { registry: 'none' }, 404, 'registry credential not found'],
    ['an unknown type', { type: 'QB' }, 422, 'type: must be one of QUEUE, LOAD_BALANCER'],
    ['an unknown scaler', { scaling: { type: 'NONE' } }, 422, 'scaling.type'],
    ['a scaler of the prototype', { scaling: { type: 'toString' } }, 422, 'scaling.type'],
    [
      'a scaler without its value',
      { scaling: { type: 'QUEUE_DELAY' } },
      422,
      'scaling.queueDelay: is missing',
    ],
    ['too short a delay', { scaling: { type: 'QUEUE_DELAY', queueDelay: 0.1 } }, 422, 'scaling.queueDelay'],
    ['more workers at least than at most', { workers: { min: 4, max: 3 } }, 422, 'workersMin'],
    ['an idle time of an hour and more', { workers: { idleTimeout: 3601 } }, 422, 'workers.idleTimeout'],
    ['an unknown flavor', { cpu: [{ id: 'cpu9z', vcpuCount: 2 }] }, 422, 'cpu9z'],
    ['no power of two', { cpu: [{ id: 'cpu3c', vcpuCount: 3 }] }, 422, 'power of two'],
    ['an entry twice', { cpu: [queueOnCpu.cpu[0], queueOnCpu.cpu[0]] }, 422, 'twice'],
    ['a variable that is no text', { env: { A: 1 } }, 422, 'env.A: must be a text'],
    ['a delay for a balancer', { type: 'LOAD_BALANCER' }, 400, 'REQUEST_COUNT'],
    [
      'an idle time with counted requests',
      { scaling: { type: 'REQUEST_COUNT', requestCount: 1 } },
      400,
      'idleTimeout',
    ],
    [
      'a list of versions and a floor',
      { cpu: undefined, gpu: { pools: ['ADA_24'], allowedCudaVersions: ['12.8'], minCudaVersion: '12.8' } },
      400,
      'exclude each other',
    ],
    ['an unknown pool', { cpu: undefined, gpu: { pools: ['ADA_25'] } }, 422, 'ADA_25'],
    [
      'a pool without any card left',
      { cpu: undefined, gpu: { pools: ['ADA_24'], excludedTypes: ['NVIDIA GeForce RTX 4090'] } },
      422,
      'every card',
    ],
  ] as const)
    test(`refused: ${what}`, async () => {
      const { rest, endpoints } = await createWorld()
      const { status, body, headers } = await rest('POST', '/v2/serverless', { ...queueOnCpu, ...change })
      expect([status, body.status]).toEqual([wanted, wanted])
      expect(`${body.detail} ${body.errors ?? ''}`).toContain(named)
      expect(findSchemaIssues('ErrorResponse', body)).toEqual([])
      expect(headers.get('content-type')).toBe('application/problem+json')
      expect(endpoints.saved).toEqual([])
      expect((await rest('GET', '/v2/templates')).body.templates).toEqual([])
    })

  test('several wrong fields are all named', async () => {
    const { rest } = await createWorld()
    const { body } = await rest('POST', '/v2/serverless', { ...queueOnCpu, name: 1, disk: 0 })
    expect(body).toEqual({
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'Request validation failed.',
      errors: ['name: must be a text', 'disk: must be 1 or more'],
    })
  })
})

describe('patch', () => {
  test('scaling and limits leave workers alone, the container does not', async () => {
    const { rest, endpoints } = await createWorld()
    const { id } = (await rest('POST', '/v2/serverless', queueOnCpu)).body
    const path = `/v2/serverless/${id}`
    for (const change of [
      { workers: { max: 5 } },
      { scaling: { type: 'QUEUE_DELAY', queueDelay: 0.5 } },
      { timeout: 5_000 },
      { name: 'n2' },
      { flashboot: 'OFF' },
      { image: 'i:1' },
    ])
      expect((await rest('PATCH', path, change)).body).toMatchObject(change)
    expect(endpoints.spec(id)).toMatchObject({
      version: 1,
      name: 'n2',
      workersMax: 5,
      executionTimeoutMs: 5_000,
    })
    for (const [index, change] of [
      { image: 'i:2' },
      { env: { A: '2' } },
      { args: 'run' },
      { disk: 11 },
      { ports: ['80/http'] },
      { dataCenterIds: [] },
    ].entries()) {
      expect((await rest('PATCH', path, change)).body).toMatchObject(change)
      expect(endpoints.spec(id).version).toBe(index + 2)
    }
  })

  test('compute: parts of a GPU selection, a CPU one as a whole, and never the other kind', async () => {
    const { rest } = await createWorld()
    const api = `/v2/serverless/${(await rest('POST', '/v2/serverless', balancedOnGpu)).body.id}`
    const queue = `/v2/serverless/${(await rest('POST', '/v2/serverless', queueOnCpu)).body.id}`
    const patchGpu = async (gpu: object) => (await rest('PATCH', api, { gpu })).body.gpu
    expect(await patchGpu({ count: 2 })).toMatchObject({
      pools: ['AMPERE_24'],
      excludedTypes: ['NVIDIA L4'],
      count: 2,
    })
    expect(await patchGpu({ minCudaVersion: '' })).toMatchObject({ minCudaVersion: null })
    expect(await patchGpu({ allowedCudaVersions: ['12.6'] })).toMatchObject({ allowedCudaVersions: ['12.6'] })
    expect(await patchGpu({ minCudaVersion: '12.7' })).toMatchObject({
      allowedCudaVersions: [],
      minCudaVersion: '12.7',
    })
    expect(await patchGpu({ allowedCudaVersions: [] })).toMatchObject({ minCudaVersion: '12.7' })
    expect(await patchGpu({ pools: ['ADA_24'] })).not.toHaveProperty('excludedTypes')
    const cpu = [{ id: 'cpu5g', vcpuCount: 4 }]
    expect((await rest('PATCH', queue, { cpu })).body.cpu).toEqual([{ ...cpu[0], memory: 16 }])
    expect((await rest('PATCH', queue, { gpu: { count: 1 } })).status).toBe(400)
    expect((await rest('PATCH', api, { cpu })).status).toBe(400)
    expect((await rest('PATCH', api, { cpu, gpu: { count: 1 } })).status).toBe(400)
    expect((await rest('PATCH', api, { type: 'QUEUE' })).status).toBe(422)
    expect((await rest('PATCH', '/v2/serverless/none', {})).status).toBe(404)
  })

  test('one that shares a template gets its own copy', async () => {
    const { graphql, rest, endpoints } = await createWorld()
    const { saveTemplate } = await graphql(
      'mutation { saveTemplate(input: {name: "t", imageName: "i:1", env: []}) { id } }',
    )
    const save = async (name: string) => {
      const input = { name, templateId: saveTemplate.id, gpuIds: 'ADA_24' }
      return (await graphql(documents.saveEndpoint, { input })).saveEndpoint.id as string
    }
    const [first, second] = [await save('a'), await save('b')]
    await rest('PATCH', `/v2/serverless/${first}`, { image: 'i:2' })
    expect([endpoints.spec(first).image, endpoints.spec(second).image]).toEqual(['i:2', 'i:1'])
    const bound = await rest('DELETE', `/v2/templates/${saveTemplate.id}`)
    expect([bound.status, bound.body.detail]).toEqual([400, expect.stringContaining(second)])
    await graphql(
      `mutation { saveTemplate(input: {id: "${saveTemplate.id}", env: [{key: "A", value: "1"}]}) { id } }`,
    )
    expect([endpoints.spec(first).version, endpoints.spec(second).version]).toEqual([2, 2])
    expect([endpoints.spec(first).env, endpoints.spec(second).env]).toEqual([{}, { A: '1' }])
  })
})

test('releases tell what changed, newest first, and how far the newest has come', async () => {
  const { rest, endpoints, clock } = await createWorld()
  const { id } = (await rest('POST', '/v2/serverless', queueOnCpu)).body
  const worker = { state: 'IDLE', image: 'i:1', startedAt: clock.now(), isStale: false } as const
  endpoints.place(id, { ...worker, id: 'w1', version: 1 })
  clock.advance(60_000)
  await rest('PATCH', `/v2/serverless/${id}`, { image: 'i:2', env: { A: '1', B: '2' } })
  endpoints.place(id, { ...worker, id: 'w2', version: 2 })
  endpoints.place(id, { ...worker, id: 'w3', version: 2 })
  const { body } = await rest('GET', `/v2/serverless/${id}/releases`)
  expect(findSchemaIssues('ListEndpointReleasesResponse', body)).toEqual([])
  expect(body).toMatchObject({
    endpointVersion: 2,
    rollout: { inProgress: true, workersOnLatest: 2, workersTotal: 3, percentOnLatest: 66 },
    releases: [
      {
        version: 2,
        workerCount: 2,
        createdAt: '2026-11-20T12:01:00.000Z',
        diff: [
          { field: 'template.imageName', old: 'i:1', new: 'i:2' },
          { field: 'template.env', old: { A: '1' }, new: { A: '1', B: '2' } },
        ],
      },
      { version: 1, workerCount: 1, diff: [] },
    ],
  })
})

test('workers with their states, and the count of each', async () => {
  const { rest, graphql, endpoints, clock } = await createWorld()
  const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: flashInput })
  const { id } = saveEndpoint
  const states = ['RUNNING', 'IDLE', 'INITIALIZING', 'THROTTLED', 'UNHEALTHY'] as const
  for (const [index, state] of states.entries())
    endpoints.place(id, {
      id: `w${index}`,
      state,
      version: 1,
      isStale: index === 0,
      image: 'i',
      startedAt: clock.now() - 90_500,
    })
  const { body } = await rest('GET', `/v2/serverless/${id}/workers`)
  expect(findSchemaIssues('ListEndpointWorkersResponse', body)).toEqual([])
  expect(body.summary).toEqual({ running: 1, idle: 1, initializing: 1, throttled: 1, unhealthy: 1, total: 5 })
  expect(body.workers.map((worker: any) => [worker.status, worker.isStale, worker.uptimeSeconds])).toEqual([
    ['RUNNING', true, 90],
    ['IDLE', false, 90],
    ['INITIALIZING', false, null],
    ['THROTTLED', false, null],
    ['UNHEALTHY', false, 90],
  ])
  expect(body.workers[0]).toMatchObject({
    gpuTypeId: 'NVIDIA RTX A5000',
    dataCenterId: 'US-CA-2',
    gpuCount: 1,
  })
  expect(body.workers[3]).toMatchObject({ gpuTypeId: null, dataCenterId: null, startedAt: null })
})

test('endpoints of both APIs are listed as the schema has them', async () => {
  const { rest, graphql } = await createWorld()
  await rest('POST', '/v2/serverless', queueOnCpu)
  await rest('POST', '/v2/serverless', balancedOnGpu)
  await graphql(documents.saveEndpoint, { input: flashInput })
  await graphql(documents.saveEndpoint, { input: { ...devInput, instanceIds: ['cpu3c-2-4'] } })
  const counted = { ...balancedOnGpu, type: 'QUEUE', name: 'counted' }
  expect((await rest('POST', '/v2/serverless', counted)).body.workers).toEqual({ min: 0, max: 3 })
  const { body } = await rest('GET', '/v2/serverless')
  expect(body.endpoints).toHaveLength(5)
  expect(findSchemaIssues('ListEndpointsResponse', body)).toEqual([])
})
