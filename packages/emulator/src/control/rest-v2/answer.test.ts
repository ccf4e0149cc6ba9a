import { describe, expect, test } from 'vitest'
import { findSchemaIssues } from '../testing/schema.ts'
import { createWorld } from '../testing/world.ts'

describe('keys', () => {
  for (const authorization of ['', 'Bearer wrong', 'rpa_tes', 'Basic rpa_test'])
    test(`refused: "${authorization}"`, async () => {
      const { send } = await createWorld()
      const { status, body, headers } = await send('/v2/serverless', { headers: { authorization } })
      expect([status, body.title]).toEqual([401, 'Unauthorized'])
      expect(headers.get('ratelimit')).toBeNull()
    })

  for (const authorization of ['Bearer rpa_test', 'bearer rpa_test', 'rpa_test', ' BEARER  rpa_test'])
    test(`accepted: "${authorization}"`, async () => {
      const { send } = await createWorld()
      expect((await send('/v2/serverless', { headers: { authorization } })).status).toBe(200)
    })
})

test('what is not there, and methods that a path has not', async () => {
  const { rest, account } = await createWorld()
  expect((await rest('GET', '/v2/billing')).status).toBe(404)
  expect((await rest('GET', '/v2/serverless/a/b/c')).status).toBe(404)
  const { status, headers, body } = await rest('PUT', '/v2/serverless')
  expect([status, headers.get('allow')]).toEqual([405, 'GET, POST'])
  expect(findSchemaIssues('ErrorResponse', body)).toEqual([])
  for (const path of ['/v2/abcdefghijklmn/run', '/v2', '/v2/serverlessly', '/v1/endpoints', '/', '//graphql'])
    expect(await account.fetch(new Request(`http://127.0.0.1:4711${path}`))).toBeNull()
})

describe('bodies', () => {
  for (const [what, body, status] of [
    ['no JSON', '{', 400],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['nested deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 400],
    ['a list', '[]', 422],
    ['null', 'null', 422],
    ['nothing', '', 400],
    ['over 20 MB', new Uint8Array(20_000_001), 413],
  ] as const)
    test(`refused: ${what}`, async () => {
      const { send } = await createWorld()
      const answer = await send('/v2/serverless', { method: 'POST', body: body as BodyInit })
      expect(answer.status).toBe(status)
      expect(findSchemaIssues('ErrorResponse', answer.body)).toEqual([])
    })

  test('an endless body is cut off at the limit', async () => {
    const { account } = await createWorld()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1_000_000
        controller.enqueue(new Uint8Array(1_000_000))
      },
    })
    const headers = { authorization: 'rpa_test' }
    const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit
    const answer = await account.fetch(new Request('http://127.0.0.1:4711/v2/registries', init))
    expect(answer!.status).toBe(413)
    expect(sent).toBeLessThan(25_000_000)
  })
})

test('rates: what is left is told, and over the limit is refused until the window ends', async () => {
  const { rest, clock } = await createWorld({ rates: { minute: 2, hour: 100, day: 1_000 } })
  const first = await rest('GET', '/v2/registries')
  expect(first.headers.get('ratelimit-policy')).toBe(
    '"minute";q=2;w=60, "hour";q=100;w=3600, "day";q=1000;w=86400',
  )
  expect(first.headers.get('ratelimit')).toBe('"minute";r=1;t=60, "hour";r=99;t=3600, "day";r=999;t=86400')
  await rest('GET', '/v2/registries')
  clock.advance(15_000)
  const third = await rest('GET', '/v2/registries')
  expect([third.status, third.headers.get('retry-after')]).toEqual([429, '45'])
  expect(third.body.detail).toBe('rate limit exceeded for the minute window')
  clock.advance(45_000)
  expect((await rest('GET', '/v2/registries')).status).toBe(200)
})

describe('catalogue', () => {
  const stock = 'include=AVAILABILITY&product=SERVERLESS,POD'
  for (const [path, schema] of [
    ['/v2/catalog/gpus', 'ListGpuTypesResponse'],
    [`/v2/catalog/gpus?${stock}&count=2&cloud=SECURE`, 'ListGpuTypesResponse'],
    ['/v2/catalog/gpus/NVIDIA%20L4', 'GpuType'],
    ['/v2/catalog/cpus', 'ListCpuTypesResponse'],
    [`/v2/catalog/cpus?${stock}&vcpuCount=4`, 'ListCpuTypesResponse'],
    [`/v2/catalog/cpus/cpu3c?${stock}`, 'CpuType'],
    ['/v2/catalog/datacenters', 'ListDataCentersResponse'],
    [
      '/v2/catalog/datacenters?include=GPU_AVAILABILITY,CPU_AVAILABILITY&regions=EUROPE',
      'ListDataCentersResponse',
    ],
    ['/v2/catalog/datacenters/EU-RO-1', 'DataCenter'],
    ['/v2/catalog/templates', 'ListTemplatesResponse'],
    ['/v2/account/ssh-keys', 'SshKeys'],
  ] as const)
    test(path, async () => {
      const { rest } = await createWorld()
      const { status, body } = await rest('GET', path)
      expect([status, findSchemaIssues(schema, body)]).toEqual([200, []])
    })

  for (const [path, status] of [
    ['/v2/catalog/gpus?include=AVAILABILITY', 400],
    ['/v2/catalog/gpus?product=POD', 400],
    ['/v2/catalog/gpus?include=AVAILABILITY&product=NONE', 422],
    ['/v2/catalog/cpus?include=NONE', 422],
    ['/v2/catalog/cpus?include=AVAILABILITY&product=CLUSTER', 422],
    ['/v2/catalog/datacenters?include=NONE', 422],
    ['/v2/catalog/gpus/ADA_24', 404],
    ['/v2/catalog/cpus/cpu9z', 404],
    ['/v2/catalog/datacenters/MOON-1', 404],
  ] as const)
    test(`${path} → ${status}`, async () => {
      const { rest } = await createWorld()
      expect((await rest('GET', path)).status).toBe(status)
    })
})

test('templates: made, changed, listed, deleted; names are unique', async () => {
  const { rest } = await createWorld()
  const input = {
    name: 'torch',
    image: 'i:1',
    disk: 50,
    ports: ['8888/http', '22/tcp'],
    env: { A: '1' },
    mounts: { persistent: { size: 20, path: '/workspace' } },
    category: 'CPU',
    startSsh: false,
  }
  const made = await rest('POST', '/v2/templates', input)
  expect([made.status, made.body]).toEqual([
    201,
    {
      ...input,
      id: made.body.id,
      args: '',
      registry: null,
      serverless: false,
      public: false,
      startJupyter: true,
      allowedCudaVersions: [],
    },
  ])
  expect(findSchemaIssues('ListTemplatesResponse', (await rest('GET', '/v2/templates')).body)).toEqual([])
  const again = await rest('POST', '/v2/templates', input)
  expect([again.status, again.body.detail]).toEqual([400, expect.stringContaining('must be unique')])
  const path = `/v2/templates/${made.body.id}`
  const change = {
    name: 'jax',
    image: 'i:2',
    public: true,
    serverless: true,
    startJupyter: false,
    allowedCudaVersions: ['12.8'],
  }
  expect((await rest('PATCH', path, change)).body).toMatchObject({ ...input, ...change })
  expect((await rest('GET', path)).body.name).toBe('jax')
  expect((await rest('POST', '/v2/templates', { name: 'x' })).status).toBe(422)
  expect((await rest('PATCH', path, { mounts: { network: [] } })).status).toBe(422)
  expect((await rest('DELETE', path)).status).toBe(204)
  for (const method of ['GET', 'DELETE']) expect((await rest(method, path)).status).toBe(404)
})

test('volumes: made, grown but not shrunk, listed, deleted', async () => {
  const { rest } = await createWorld()
  const made = await rest('POST', '/v2/network-volumes', { name: 'data', size: 50, dataCenter: 'EU-RO-1' })
  expect(made.body).toEqual({
    id: made.body.id,
    name: 'data',
    size: 50,
    dataCenter: 'EU-RO-1',
    type: 'STANDARD',
  })
  const path = `/v2/network-volumes/${made.body.id}`
  expect((await rest('PATCH', path, { size: 60, name: 'more' })).body).toMatchObject({
    size: 60,
    name: 'more',
  })
  for (const [change, status] of [
    [{ size: 59 }, 400],
    [{}, 422],
    [{ size: 5_000 }, 422],
    [{ dataCenter: 'US-KS-2' }, 422],
  ] as const)
    expect((await rest('PATCH', path, change)).status).toBe(status)
  const { body } = await rest('GET', '/v2/network-volumes')
  expect(findSchemaIssues('ListNetworkVolumesResponse', body)).toEqual([])
  expect((await rest('GET', path)).body.size).toBe(60)
  expect((await rest('DELETE', path)).status).toBe(204)
  expect((await rest('DELETE', path)).status).toBe(404)
  const global = await rest('POST', '/v2/global-volumes', { name: 'shared' })
  const globalPath = `/v2/global-volumes/${global.body.id}`
  expect((await rest('GET', globalPath)).body).toEqual(global.body)
  expect((await rest('DELETE', globalPath)).status).toBe(204)
  expect((await rest('GET', globalPath)).status).toBe(404)
})

test('registries: what opens them is never told, and templates lose one that is deleted', async () => {
  const { rest, endpoints } = await createWorld()
  const input = { name: 'hub', username: 'me', password: 'hidden' }
  const made = await rest('POST', '/v2/registries', input)
  expect(made.body).toEqual({ id: made.body.id, name: 'hub' })
  const list = await rest('GET', '/v2/registries')
  expect(findSchemaIssues('ListRegistriesResponse', list.body)).toEqual([])
  expect((await rest('POST', '/v2/registries', input)).status).toBe(400)
  const { body } = await rest('POST', '/v2/serverless', {
    name: 'n',
    type: 'QUEUE',
    image: 'i',
    registry: made.body.id,
    cpu: [{ id: 'cpu3c', vcpuCount: 2 }],
    scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
  })
  expect(endpoints.spec(body.id).registryAuth).toEqual({ username: 'me', password: 'hidden' })
  expect((await rest('GET', `/v2/registries/${made.body.id}`)).body.name).toBe('hub')
  expect((await rest('DELETE', `/v2/registries/${made.body.id}`)).status).toBe(204)
  expect(endpoints.spec(body.id).registryAuth).toBeUndefined()
  expect((await rest('GET', `/v2/serverless/${body.id}`)).body.registry).toBeNull()
})

describe('pods', () => {
  const input = {
    name: 'p',
    image: 'i:1',
    cpu: { id: 'cpu3g', vcpuCount: 2 },
    ports: ['22/tcp'],
    env: { A: '1' },
  }

  test('are records: made, changed, stopped, started, deleted', async () => {
    const { rest } = await createWorld()
    const registry = (await rest('POST', '/v2/registries', { name: 'hub', username: 'me', password: 'x' }))
      .body
    const made = await rest('POST', '/v2/pods', {
      ...input,
      registry: registry.id,
      dataCenterIds: ['EU-RO-1'],
    })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      ...input,
      status: 'RUNNING',
      dataCenterId: 'EU-RO-1',
      cpu: { memory: 8 },
    })
    expect((await rest('DELETE', `/v2/registries/${registry.id}`)).status).toBe(400)
    const path = `/v2/pods/${made.body.id}`
    expect(findSchemaIssues('ListPodsResponse', (await rest('GET', '/v2/pods')).body)).toEqual([])
    expect((await rest('PATCH', path, { name: 'q', locked: true })).body).toMatchObject({
      name: 'q',
      image: 'i:1',
      locked: true,
    })
    const act = (action: string) => rest('POST', `${path}/action`, { action })
    expect((await act('stop')).status).toBe(400)
    await rest('PATCH', path, { locked: false, registry: null })
    expect((await act('stop')).body).toMatchObject({
      status: 'EXITED',
      actions: ['start', 'terminate'],
      startedAt: null,
    })
    expect((await act('start')).body.status).toBe('RUNNING')
    expect((await act('jump')).status).toBe(422)
    expect((await act('terminate')).status).toBe(204)
    expect((await rest('GET', path)).status).toBe(404)
  })

  test('take their container from a template', async () => {
    const { rest } = await createWorld()
    const template = (
      await rest('POST', '/v2/templates', { name: 't', image: 'i:9', env: { A: '0', B: '0' } })
    ).body
    const { image: _image, ports: _ports, ...bare } = input
    const made = await rest('POST', '/v2/pods', { ...bare, templateId: template.id })
    expect(made.body).toMatchObject({ image: 'i:9', env: { A: '1', B: '0' }, template: template.id })
    expect((await rest('DELETE', `/v2/templates/${template.id}`)).status).toBe(400)
  })

  for (const [what, change, status] of [
    ['no compute', { cpu: undefined }, 400],
    ['no image', { image: undefined }, 422],
    [
      'two kinds of storage',
      { mounts: { persistent: { size: 10, path: '/a' }, network: [{ volumeId: 'v', path: '/b' }] } },
      400,
    ],
    ['a volume that is not there', { mounts: { network: [{ volumeId: 'v', path: '/b' }] } }, 404],
    ['a registry that is not there', { registry: 'none' }, 404],
    ['an unknown flavor', { cpu: { id: 'cpu9z', vcpuCount: 2 } }, 422],
  ] as const)
    test(`refused: ${what}`, async () => {
      const { rest } = await createWorld()
      expect((await rest('POST', '/v2/pods', { ...input, ...change })).status).toBe(status)
      expect((await rest('GET', '/v2/pods')).body.pods).toEqual([])
    })
})
