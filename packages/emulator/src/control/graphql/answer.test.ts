import { describe, expect, test } from 'vitest'
import { devInput, documents, flashInput } from '../testing/documents.ts'
import { createWorld, KEY } from '../testing/world.ts'

describe('envelope', () => {
  test('a success has no key errors, a failure has it with status 200', async () => {
    const { ask } = await createWorld()
    expect(await ask('{ myself { id email } }')).toEqual({
      status: 200,
      data: { myself: { id: 'user_emulator', email: 'emulator@localhost' } },
    })
    const { status, errors, data } = await ask('{ flashApp(flashAppId: "none") { id } }')
    expect([status, data]).toEqual([200, { flashApp: null }])
    expect(errors).toEqual([{ message: 'App not found: none', path: ['flashApp'] }])
  })

  for (const [what, body, status] of [
    ['no JSON', '{"query":', 400],
    ['a batch', '[{"query":"{ myself { id } }"}]', 400],
    ['null', 'null', 400],
    ['no query', '{}', 400],
    ['a query that is no text', '{"query":1}', 400],
    ['variables that are no object', '{"query":"{ myself { id } }","variables":[1]}', 400],
    ['a name that is no text', '{"query":"{ myself { id } }","operationName":{}}', 400],
    ['nested deep', `{"query":"{ myself { id } }","variables":${'{"a":'.repeat(80)}1${'}'.repeat(81)}`, 400],
    ['over 20 MB', `{"query":"{ myself { id } }","variables":{"a":"${'x'.repeat(20_000_000)}"}}`, 413],
  ] as const)
    test(`refused: ${what}`, async () => {
      const { send } = await createWorld()
      const answer = await send('/graphql', { method: 'POST', body })
      expect(answer.status).toBe(status)
      expect(typeof answer.body.errors[0].message).toBe('string')
    })

  test('another method than POST', async () => {
    const { rest } = await createWorld()
    const { status, headers } = await rest('GET', '/graphql')
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  })

  test('variables may be missing or null, and one of several operations named', async () => {
    const { rest } = await createWorld()
    const query = 'query a { myself { id } } query b { myself { email } }'
    const ask = async (body: object) => (await rest('POST', '/graphql', { query, ...body })).body
    expect(await ask({ operationName: 'b', variables: null })).toEqual({
      data: { myself: { email: 'emulator@localhost' } },
    })
    expect((await ask({})).errors).toHaveLength(1)
    expect((await ask({ operationName: 'c' })).errors).toHaveLength(1)
  })
})

describe('keys', () => {
  const query = JSON.stringify({ query: '{ myself { id } }' })

  test('in the header or in the address', async () => {
    const { send } = await createWorld()
    const post = async (path: string, authorization: string) =>
      (await send(path, { method: 'POST', body: query, headers: { authorization } })).status
    expect(await post('/graphql', `Bearer ${KEY}`)).toBe(200)
    expect(await post('/graphql', KEY)).toBe(200)
    expect(await post(`/graphql?api_key=${KEY}`, '')).toBe(200)
    expect(await post('/graphql?api_key=wrong', '')).toBe(401)
    expect(await post(`/graphql?api_key=${KEY}`, 'Bearer wrong')).toBe(401)
    expect(await post('/graphql', '')).toBe(401)
  })

  for (const [what, text] of [
    [
      'a field more than the login',
      'mutation { createFlashAuthRequest { id } createFlashApp(input: {name: "a"}) { id } }',
    ],
    ['a fragment', 'mutation { ...a } fragment a on Mutation { createFlashAuthRequest { id } }'],
    [
      'another operation beside',
      'mutation a { createFlashAuthRequest { id } } mutation b { createFlashApp(input: {name: "a"}) { id } }',
    ],
    ['an inline fragment', 'mutation { ... { createFlashApp(input: {name: "a"}) { id } } }'],
    [
      'an alias of the login',
      'mutation { createFlashAuthRequest: createFlashApp(input: {name: "a"}) { id } }',
    ],
    ['the schema', '{ __schema { types { name } } }'],
    ['a wrong text', '{'],
    ['nothing', ''],
  ] as [string, string][])
    test(`without a key: ${what}`, async () => {
      const { send, graphql } = await createWorld()
      const { status, body } = await send('/graphql', {
        method: 'POST',
        body: JSON.stringify({ query: text }),
        headers: { authorization: '' },
      })
      expect([status, body]).toEqual([401, { errors: [{ message: 'Unauthorized' }] }])
      expect((await graphql(documents.apps)).myself.flashApps).toEqual([])
    })
})

describe('queries that cost too much are refused', () => {
  const fragments = Array.from(
    { length: 30 },
    (_, index) => `fragment f${index} on User { ...f${index + 1} ...f${index + 1} }`,
  )
  for (const [what, query] of [
    [
      'many aliases',
      `{ ${Array.from({ length: 1_001 }, (_, index) => `a${index}: myself { id }`).join(' ')} }`,
    ],
    ['deep fields', `{ ${'myself { '.repeat(20)} id ${'}'.repeat(20)} }`],
    ['very deep fields', `{ ${'a { '.repeat(9_000)} id ${'}'.repeat(9_000)} }`],
    [
      'a deep value',
      `mutation { saveTemplate(input: {name: "a", imageName: "b", config: ${'['.repeat(65)}${']'.repeat(65)}}) { id } }`,
    ],
    [
      'a very deep value',
      `mutation { saveTemplate(input: {config: ${'['.repeat(9_000)}${']'.repeat(9_000)}}) { id } }`,
    ],
    ['doubling fragments', `{ myself { ...f0 } } ${fragments.join(' ')} fragment f30 on User { id }`],
    ['fragments in a circle', '{ myself { ...a } } fragment a on User { ...b } fragment b on User { ...a }'],
    ['many tokens', `{ myself(${'a: 1 '.repeat(10_000)}) { id } }`],
    ['a long text', `{ myself { id } } #${'x'.repeat(1_000_001)}`],
    ['many comments', `{ myself { id } } ${'#\n'.repeat(2_000)}`],
  ] as [string, string][])
    test(what, async () => {
      const { ask, graphql } = await createWorld()
      const began = performance.now()
      const { status, errors } = await ask(query)
      expect([status, errors!.length > 0]).toEqual([200, true])
      expect(errors![0]!.message).not.toContain('internal')
      expect(performance.now() - began).toBeLessThan(3_000)
      expect((await graphql('{ myself { podTemplates { id } } }')).myself.podTemplates).toEqual([])
    })

  test('a large save is none of them', async () => {
    const { graphql } = await createWorld()
    const env = Array.from({ length: 1_000 }, (_, index) => `{key: "A${index}", value: "b"}`).join(', ')
    const { saveTemplate } = await graphql(
      `mutation { saveTemplate(input: {name: "a", imageName: "b", env: [${env}]}) { env { key } } }`,
    )
    expect(saveTemplate.env).toHaveLength(1_000)
  })
})

describe('saveEndpoint refuses and changes nothing', () => {
  for (const [what, change, named] of [
    ['an id that is not there', { id: 'none' }, 'endpoint not found'],
    ['template and templateId', { templateId: 'x' }, 'cannot be given together'],
    ['neither', { template: null }, 'a template or a templateId'],
    ['a templateId that is not there', { template: null, templateId: 'x' }, 'template not found'],
    ['an empty name', { name: ' ' }, 'name: is empty'],
    ['a long name', { name: 'x'.repeat(192) }, '191'],
    ['an unknown type', { type: 'QUEUE' }, 'is not QB or LB'],
    ['an unknown scaler', { scalerType: 'NONE' }, 'QUEUE_DELAY or REQUEST_COUNT'],
    ['a delay for a balancer', { type: 'LB' }, 'REQUEST_COUNT'],
    ['an unknown pool', { gpuIds: 'ADA_25' }, '"ADA_25" is no GPU pool'],
    ['more workers at least than at most', { workersMin: 2, workersMax: 1 }, 'workersMin: 2 is more than'],
    ['workers below zero', { workersMax: -1 }, 'workersMax'],
    ['an idle time of nothing', { idleTimeout: 0 }, 'idleTimeout'],
    ['a part of a request', { scalerType: 'REQUEST_COUNT', scalerValue: 1.5 }, 'no whole number'],
    ['no GPUs', { gpuCount: 0 }, 'gpuCount'],
    ['an unknown version', { minCudaVersion: 'twelve' }, 'minCudaVersion'],
    ['an unknown version in a list', { allowedCudaVersions: '12.8,new' }, 'allowedCudaVersions: "new"'],
    ['an instance that is none', { gpuIds: '', instanceIds: ['large'] }, '"large" is no instance'],
    ['a volume that is not there', { networkVolumeId: 'none' }, 'network volume not found'],
    [
      'a listed volume that is not there',
      { networkVolumeIds: [{ networkVolumeId: 'none' }] },
      'network volume not found',
    ],
    ['a global volume that is not there', { volumes: [{ volumeId: 'none' }] }, 'volume not found'],
    ['an environment that is not there', { flashEnvironmentId: 'none' }, 'flash environment not found'],
    ['a template without an image', { template: { name: 'a' } }, 'needs an imageName'],
    ['a template without a name', { template: { imageName: 'a' } }, 'needs a name'],
    [
      'a template without a disk',
      { template: { ...flashInput.template, containerDiskInGb: 0 } },
      'containerDiskInGb',
    ],
    ['a volume of less than nothing', { template: { ...flashInput.template, volumeInGb: -1 } }, 'volumeInGb'],
    [
      'a registry that is not there',
      { template: { ...flashInput.template, containerRegistryAuthId: 'none' } },
      'registry credential not found',
    ],
    [
      'a variable without a name',
      { template: { ...flashInput.template, env: [{ value: 'a' }] } },
      'env[0].key',
    ],
    [
      'a variable with a zero byte',
      { template: { ...flashInput.template, env: [{ key: 'a', value: '\0' }] } },
      'zero byte',
    ],
    ['a field that nobody knows', { workers: 1 }, 'workers'],
    ['a number that is a text', { workersMax: '1' }, 'workersMax'],
    ['an unknown flash boot', { flashBootType: 'FAST' }, 'flashBootType'],
  ] as const)
    test(what, async () => {
      const { ask, endpoints, account } = await createWorld()
      const before = account.snapshot()
      const { status, errors } = await ask(documents.saveEndpoint, { input: { ...flashInput, ...change } })
      expect(status).toBe(200)
      expect(errors!.map(({ message }) => message).join(' ')).toContain(named)
      expect(endpoints.saved).toEqual([])
      expect(account.snapshot()).toEqual(before)
    })

  test('the name of a template that another one has', async () => {
    const { ask, graphql, account, endpoints } = await createWorld()
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: flashInput })
    const before = account.snapshot()
    const { errors } = await ask(documents.saveEndpoint, { input: flashInput })
    expect(errors![0]!.message).toContain('must be unique')
    const other = await graphql(documents.saveEndpoint, { input: devInput })
    const taken = { ...devInput, id: other.saveEndpoint.id, template: flashInput.template }
    expect((await ask(documents.saveEndpoint, { input: taken })).errors![0]!.message).toContain(
      'must be unique',
    )
    await graphql(documents.deleteEndpoint, { id: other.saveEndpoint.id })
    expect(account.snapshot()).toEqual(before)
    expect(endpoints.spec(saveEndpoint.id).version).toBe(1)
  })
})

describe('a save of an endpoint', () => {
  test('from GPUs to CPUs and back', async () => {
    const { graphql } = await createWorld()
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: flashInput })
    const { id } = saveEndpoint
    const fields = 'id gpuIds gpuCount minCudaVersion instanceIds'
    const save = async (input: object) =>
      (
        await graphql(`mutation s($input: EndpointInput!) { saveEndpoint(input: $input) { ${fields} } }`, {
          input,
        })
      ).saveEndpoint
    expect(await save({ id, instanceIds: ['cpu3g-2-8'] })).toEqual({
      id,
      gpuIds: null,
      gpuCount: null,
      minCudaVersion: null,
      instanceIds: ['cpu3g-2-8'],
    })
    expect(await save({ id, gpuIds: 'any', minCudaVersion: '' })).toEqual({
      id,
      gpuIds: 'any',
      gpuCount: 1,
      minCudaVersion: null,
      instanceIds: null,
    })
  })

  test('one volume replaces a list, and a list the one', async () => {
    const { graphql, rest, endpoints } = await createWorld()
    const volume = async (name: string) =>
      (await rest('POST', '/v2/network-volumes', { name, size: 10, dataCenter: 'EU-RO-1' })).body.id as string
    const [a, b] = [await volume('a'), await volume('b')]
    const save = async (input: object) =>
      (await graphql(documents.saveEndpointOfFlash, { input: { ...flashInput, ...input } })).saveEndpoint
    const one = await save({ networkVolumeId: a })
    expect(one).toMatchObject({ networkVolumeId: a, networkVolumeIds: [] })
    const update = { id: one.id, template: undefined }
    const both = await save({ ...update, networkVolumeIds: [{ networkVolumeId: b }, { networkVolumeId: a }] })
    expect(both).toMatchObject({
      networkVolumeId: null,
      networkVolumeIds: [
        { networkVolumeId: b, dataCenterId: 'EU-RO-1' },
        { networkVolumeId: a, dataCenterId: 'EU-RO-1' },
      ],
    })
    expect(endpoints.spec(one.id).mounts[0]!.source.endsWith(b)).toBe(true)
    expect(await save({ ...update, networkVolumeId: a })).toMatchObject({
      networkVolumeId: a,
      networkVolumeIds: [],
    })
    const { myself } = await graphql(
      `{ myself { networkVolumes { id size } endpoints { networkVolume { id } template { name } pods { id } } } }`,
    )
    expect(myself).toMatchObject({
      networkVolumes: [{ id: a, size: 10 }, { id: b }],
      endpoints: [{ networkVolume: { id: a } }],
    })
    expect((await rest('DELETE', `/v2/network-volumes/${a}`)).status).toBe(400)
  })

  test('a shared template takes the place of its own, which leaves', async () => {
    const { graphql, endpoints } = await createWorld()
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: flashInput })
    const { saveTemplate } = await graphql(
      'mutation { saveTemplate(input: {name: "shared", imageName: "i", category: "CPU", config: {a: [1]}}) { id } }',
    )
    await graphql(documents.saveEndpoint, { input: { id: saveEndpoint.id, templateId: saveTemplate.id } })
    expect(endpoints.spec(saveEndpoint.id)).toMatchObject({ version: 2, image: 'i' })
    const { podTemplates } = (await graphql('{ myself { podTemplates { name category config } } }')).myself
    expect(podTemplates).toEqual([{ name: 'shared', category: 'CPU', config: { a: [1] } }])
    await graphql(documents.saveEndpoint, { input: { ...flashInput, id: saveEndpoint.id } })
    expect(endpoints.spec(saveEndpoint.id)).toMatchObject({
      version: 3,
      image: flashInput.template.imageName,
    })
    await graphql('mutation { deleteTemplate(templateName: "shared") }')
  })

  test('a balancer that starts from a shared template tells it the ports', async () => {
    const { graphql, endpoints } = await createWorld()
    await graphql(
      'mutation { saveTemplate(input: {name: "t", imageName: "i", env: [{key: "PORT", value: "8000"}]}) { id } }',
    )
    const { podTemplates } = (await graphql('{ myself { podTemplates { id } } }')).myself
    const save = async (type: string, scalerType: string) => {
      const input = { name: type, type, scalerType, templateId: podTemplates[0].id, gpuIds: 'ADA_24' }
      return (await graphql(documents.saveEndpoint, { input })).saveEndpoint.id as string
    }
    const queue = await save('QB', 'QUEUE_DELAY')
    const balanced = await save('LB', 'REQUEST_COUNT')
    expect(endpoints.spec(balanced).env).toEqual({ PORT: '8000', PORT_HEALTH: '80' })
    expect(endpoints.spec(queue)).toMatchObject({ version: 2, env: { PORT_HEALTH: '80' } })
  })
})

test('other operations refuse what is not there, or not allowed', async () => {
  const { ask, graphql, account } = await createWorld()
  await graphql(documents.createApp, { input: { name: 'demo' } })
  const before = account.snapshot()
  for (const [query, named] of [
    ['mutation { createFlashApp(input: {name: "demo"}) { id } }', 'must be unique'],
    ['mutation { createFlashApp(input: {name: ""}) { id } }', 'name: is empty'],
    ['mutation { createFlashEnvironment(input: {flashAppId: "x", name: "a"}) { id } }', 'App not found'],
    ['mutation { deleteFlashApp(flashAppId: "x") }', 'App not found'],
    ['mutation { deleteFlashEnvironment(flashEnvironmentId: "x") }', 'not found'],
    [
      'mutation { prepareFlashArtifactUpload(input: {flashAppId: "x", tarballSize: 1}) { uploadUrl } }',
      'App not found',
    ],
    [
      'mutation { updateFlashBuildManifest(input: {flashBuildId: "x", manifest: {}}) { id } }',
      'flash build not found',
    ],
    [
      'mutation { deployBuildToEnvironment(input: {flashEnvironmentId: "x", flashBuildId: "y"}) { id } }',
      'not found',
    ],
    [
      'mutation { updateEndpointTemplate(input: {templateId: "x", endpointId: "y"}) { id } }',
      'endpoint not found',
    ],
    ['mutation { saveTemplate(input: {id: "x"}) { id } }', 'template not found'],
    ['mutation { saveTemplate { id } }', 'needs a name'],
    ['mutation { deleteTemplate(templateName: "x") }', 'template not found'],
    ['mutation { saveRegistryAuth(input: {name: "a"}) { id } }', 'username: is empty'],
    ['mutation { updateRegistryAuth(input: {id: "x"}) { id } }', 'not found'],
    ['mutation { deleteRegistryAuth(registryAuthId: "x") }', 'not found'],
    ['mutation { secretCreate(input: {name: "a b", value: "x"}) { id } }', 'in its name'],
    ['mutation { secretCreate(input: {name: "a"}) { id } }', 'value: is empty'],
    ['mutation { secretDelete(id: "x") }', 'secret not found'],
    ['mutation { podTerminate(input: {podId: "x"}) }', 'pod not found'],
    ['mutation { deployCpuPod(input: {instanceId: "cpu3c-2-4", imageName: "i"}) { id } }', 'name: is empty'],
    ['{ flashEnvironment(flashEnvironmentId: "x") { id } }', 'not found'],
    ['{ flashBuild(flashBuildId: "x") { id } }', 'not found'],
    ['{ flashAuthRequestStatus(flashAuthRequestId: "x") { id } }', 'not found'],
    ['{ none }', 'Cannot query field'],
  ] as const) {
    const { status, errors } = await ask(query)
    expect([query, status, errors?.[0]?.message]).toEqual([query, 200, expect.stringContaining(named)])
  }
  expect(account.snapshot()).toEqual(before)
})

test('a pod is there until it is terminated', async () => {
  const { graphql } = await createWorld()
  const { deployCpuPod } = await graphql(
    'mutation { deployCpuPod(input: {name: "p", instanceId: "cpu3c-2-4", imageName: "i", env: [{key: "A", value: "1"}]}) { id } }',
  )
  const pod = async () =>
    (await graphql(`{ pod(input: {podId: "${deployCpuPod.id}"}) { name env imageName gpuCount } }`)).pod
  expect(await pod()).toEqual({ name: 'p', env: ['A=1'], imageName: 'i', gpuCount: 0 })
  await graphql(`mutation { podTerminate(input: {podId: "${deployCpuPod.id}"}) }`)
  expect(await pod()).toBeNull()
})

test('the public keys of the user', async () => {
  const { graphql, rest } = await createWorld()
  await graphql('mutation { updateUserSettings(input: {pubKey: "ssh-a B c\\nssh-d E f"}) { id } }')
  expect((await rest('GET', '/v2/account/ssh-keys')).body).toEqual({ keys: ['ssh-a B c', 'ssh-d E f'] })
  await graphql('mutation { updateUserSettings { id } }')
  expect((await rest('GET', '/v2/account/ssh-keys')).body).toEqual({ keys: [] })
})
