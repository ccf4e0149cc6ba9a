import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { toArchive } from './testing/archive.ts'
import { devInput, documents, flashInput } from './testing/documents.ts'
import { BASE, createWorld, type World } from './testing/world.ts'

/** Uploads an archive the way every client does, and makes a build of it. */
async function upload(world: World, appId: string, archive = toArchive()) {
  const { graphql, send } = world
  const prepared = await graphql(documents.prepare, {
    input: { flashAppId: appId, tarballSize: archive.length },
  })
  const { uploadUrl, objectKey } = prepared.prepareFlashArtifactUpload
  const put = await send(uploadUrl, {
    method: 'PUT',
    body: new Uint8Array(archive),
    headers: { authorization: '', 'content-type': 'application/gzip' },
  })
  expect(put.status).toBe(200)
  const manifest = { version: '1', resources: { hello: {} } }
  const finalized = await graphql(documents.finalize, { input: { flashAppId: appId, objectKey, manifest } })
  expect(finalized.finalizeFlashArtifactUpload.manifest).toEqual(manifest)
  return { buildId: finalized.finalizeFlashArtifactUpload.id as string, objectKey: objectKey as string }
}

const deployInput = (environmentId: string, buildId: string, more = {}) => ({
  ...devInput,
  name: 'hello',
  flashEnvironmentId: environmentId,
  template: {
    ...devInput.template,
    name: 'demo-hello-template',
    env: [
      { key: 'FLASH_RESOURCE_NAME', value: 'hello' },
      { key: 'RUNPOD_BUILD_ID', value: buildId },
    ],
  },
  ...more,
})

/** All of a first `rp flash deploy`. */
async function deploy(world: World, environmentName = 'default') {
  const { graphql, ask } = world
  const before = await ask(documents.appByName, { flashAppName: 'demo' })
  const app =
    before.data?.flashAppByName ??
    (await graphql(documents.createApp, { input: { name: 'demo' } })).createFlashApp
  const { createFlashEnvironment: environment } = await graphql(documents.createEnvironment, {
    input: { flashAppId: app.id, name: environmentName },
  })
  const { buildId, objectKey } = await upload(world, app.id)
  await graphql(documents.activate, { input: { flashEnvironmentId: environment.id, flashBuildId: buildId } })
  const { saveEndpoint } = await graphql(documents.saveEndpoint, {
    input: deployInput(environment.id, buildId),
  })
  return {
    appId: app.id,
    environmentId: environment.id,
    buildId,
    objectKey,
    endpointId: saveEndpoint.id as string,
  }
}

describe('SDK 2.0', () => {
  test('dev --once: list, save, workers, delete', async () => {
    const world = await createWorld()
    const { rest, graphql, endpoints } = world
    expect((await rest('GET', '/v2/serverless')).body).toMatchObject({ endpoints: [] })
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: devInput })
    expect(saveEndpoint).toMatchObject({
      name: devInput.name,
      gpuIds: null,
      instanceIds: ['cpu3c-1-2'],
      workersMin: 0,
      workersMax: 3,
      idleTimeout: 60,
    })
    expect(saveEndpoint.id).toMatch(/^[a-z0-9]{14}$/)
    expect(endpoints.spec(saveEndpoint.id)).toMatchObject({
      kind: 'queue',
      version: 1,
      image: 'runpod/queue:py3.11-latest',
      env: { RUNPOD_DEV_RESOURCE: 'hello', RUNPOD_MOUNTS: '[]' },
      executionTimeoutMs: 600_000,
      scaling: { by: 'queueDelay', seconds: 4 },
      gpuTypeId: null,
      gpuCount: 0,
      dataCenterId: 'EU-CZ-1',
      mounts: [],
    })
    const workers = await rest('GET', `/v2/serverless/${saveEndpoint.id}/workers`)
    expect(workers.body.summary).toMatchObject({
      idle: 0,
      initializing: 0,
      running: 0,
      throttled: 0,
      unhealthy: 0,
    })
    const deleted = await rest('DELETE', `/v2/serverless/${saveEndpoint.id}`)
    expect([deleted.status, deleted.body]).toEqual([204, ''])
    expect(endpoints.removed).toEqual([saveEndpoint.id])
    expect((await rest('GET', '/v2/templates')).body.templates).toEqual([])
  })

  test('dev edit: the save with an id and another generation replaces the workers', async () => {
    const { graphql, endpoints } = await createWorld()
    const { saveEndpoint: first } = await graphql(documents.saveEndpoint, { input: devInput })
    const env = devInput.template.env.map((one) =>
      one.key === 'RUNPOD_DEV_GENERATION' ? { ...one, value: '2' } : one,
    )
    const { saveEndpoint: second } = await graphql(documents.saveEndpoint, {
      input: { ...devInput, id: first.id, template: { ...devInput.template, env } },
    })
    expect(second).toMatchObject({ id: first.id, templateId: first.templateId })
    expect(endpoints.spec(first.id)).toMatchObject({ version: 2, env: { RUNPOD_DEV_GENERATION: '2' } })
  })

  test('deploy, first time: the app is not found, and all is made', async () => {
    const world = await createWorld()
    const missing = await world.ask(documents.appByName, { flashAppName: 'demo' })
    expect(missing).toMatchObject({ status: 200, data: { flashAppByName: null } })
    expect(missing.errors![0]!.message).toMatch(/app not found/i)
    const { endpointId, objectKey, environmentId } = await deploy(world)
    const spec = world.endpoints.spec(endpointId)
    expect(spec.environmentId).toBe(environmentId)
    const [artifact] = spec.mounts
    expect(artifact).toMatchObject({ target: '/root/.runpod/artifact.tar.gz' })
    expect(artifact!.source.endsWith(objectKey.split('/').at(-1)!)).toBe(true)
    expect(await readFile(artifact!.source)).toEqual(toArchive())
    expect(world.account.lookUp({ app: 'demo', environment: 'default', endpoint: 'hello' })).toBe(endpointId)
    expect(world.account.lookUp({ app: 'demo', environment: 'other', endpoint: 'hello' })).toBeUndefined()
    expect(world.account.lookUp({ app: 'other', environment: 'default', endpoint: 'hello' })).toBeUndefined()
  })

  test('deploy again, in place: the look-up tells the endpoint, a new build id replaces the workers', async () => {
    const world = await createWorld()
    const { appId, environmentId, endpointId } = await deploy(world)
    const { flashAppByName } = await world.graphql(documents.appByName, { flashAppName: 'demo' })
    expect(flashAppByName.flashEnvironments).toMatchObject([
      {
        id: environmentId,
        name: 'default',
        state: 'HEALTHY',
        endpoints: [{ id: endpointId, name: 'hello' }],
      },
    ])
    const next = await upload(world, appId)
    await world.graphql(documents.activate, {
      input: { flashEnvironmentId: environmentId, flashBuildId: next.buildId },
    })
    const activated = world.endpoints.spec(endpointId)
    expect(activated.version).toBe(1)
    expect(activated.mounts[0]!.source.endsWith(next.objectKey.split('/').at(-1)!)).toBe(true)
    await world.graphql(documents.saveEndpoint, {
      input: deployInput(environmentId, next.buildId, { id: endpointId }),
    })
    expect(world.endpoints.spec(endpointId).version).toBe(2)
    expect((await world.rest('GET', '/v2/serverless')).body.endpoints).toHaveLength(1)
  })

  test('deploy with a resource that is gone: its endpoint is deleted', async () => {
    const world = await createWorld()
    const { endpointId, environmentId, appId } = await deploy(world)
    expect((await world.rest('DELETE', `/v2/serverless/${endpointId}`)).status).toBe(204)
    expect((await world.rest('DELETE', `/v2/serverless/${endpointId}`)).status).toBe(404)
    const { flashEnvironmentByName } = await world.graphql(documents.environmentByName, {
      input: { flashAppId: appId, name: 'default' },
    })
    expect(flashEnvironmentByName).toMatchObject({ id: environmentId, endpoints: [] })
    expect(world.account.lookUp({ app: 'demo', environment: 'default', endpoint: 'hello' })).toBeUndefined()
  })

  test('two environments may have templates of one name', async () => {
    const world = await createWorld()
    const first = await deploy(world, 'default')
    const second = await deploy(world, 'staging')
    expect(world.account.lookUp({ app: 'demo', environment: 'staging', endpoint: 'hello' })).toBe(
      second.endpointId,
    )
    expect(world.account.lookUp({ app: 'demo', environment: 'default', endpoint: 'hello' })).toBe(
      first.endpointId,
    )
  })

  test('undeploy: endpoints, then the environment, then the app', async () => {
    const world = await createWorld()
    const { endpointId, environmentId, appId } = await deploy(world)
    const early = await world.ask(documents.deleteEnvironment, { flashEnvironmentId: environmentId })
    expect(early.errors![0]!.message).toContain('still has 1 endpoints')
    await world.rest('DELETE', `/v2/serverless/${endpointId}`)
    expect(await world.ask(documents.deleteEnvironment, { flashEnvironmentId: environmentId })).toEqual({
      status: 200,
      data: { deleteFlashEnvironment: null },
    })
    await world.graphql(documents.deleteApp, { flashAppId: appId })
    expect((await world.graphql(documents.apps)).myself.flashApps).toEqual([])
  })

  test('app and env commands: list, get, add', async () => {
    const world = await createWorld()
    const { appId } = await deploy(world)
    const input = { flashAppId: appId, name: 'staging' }
    await world.graphql(documents.createEnvironment, { input })
    const again = await world.ask(documents.createEnvironment, { input })
    expect(again.errors![0]!.message).toContain('must be unique')
    const { flashApps } = (await world.graphql(documents.apps)).myself
    expect(flashApps[0].flashEnvironments.map(({ name, state }: any) => [name, state])).toEqual([
      ['default', 'HEALTHY'],
      ['staging', 'PENDING'],
    ])
    expect(flashApps[0].flashEnvironments[0].createdAt).toBe('2026-11-20T12:00:00.000Z')
    const none = { input: { flashAppId: appId, name: 'none' } }
    expect(await world.graphql(documents.environmentByName, none)).toEqual({ flashEnvironmentByName: null })
  })

  test('secrets: add, list without values, fill in, delete', async () => {
    const { graphql, ask, endpoints } = await createWorld()
    const input = { name: 'hf.token', value: 'hf_123', description: 'for models' }
    await graphql(documents.createSecret, { input })
    expect((await ask(documents.createSecret, { input })).errors![0]!.message).toContain('already exists')
    const { secrets } = (await graphql(documents.secrets)).myself
    expect(secrets).toMatchObject([{ name: 'hf.token', description: 'for models' }])
    expect(JSON.stringify(secrets)).not.toContain('hf_123')
    const env = [
      { key: 'HF', value: '{{ RUNPOD_SECRET_hf.token }}' },
      { key: 'NO', value: 'a {{RUNPOD_SECRET_none}}' },
    ]
    const { saveEndpoint } = await graphql(documents.saveEndpoint, {
      input: { ...devInput, template: { ...devInput.template, env } },
    })
    expect(endpoints.spec(saveEndpoint.id).env).toEqual({ HF: 'hf_123', NO: 'a {{RUNPOD_SECRET_none}}' })
    await graphql(documents.deleteSecret, { id: secrets[0].id })
    expect(endpoints.spec(saveEndpoint.id).env.HF).toBe('{{ RUNPOD_SECRET_hf.token }}')
  })

  test('an API gets its ports once, and a save keeps what it sends', async () => {
    const { graphql, endpoints } = await createWorld()
    const template = { ...devInput.template, ports: '80/http' }
    const input = { ...devInput, type: 'LB', scalerType: 'REQUEST_COUNT', template }
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input })
    expect(endpoints.spec(saveEndpoint.id)).toMatchObject({
      kind: 'balanced',
      env: { PORT: '80', PORT_HEALTH: '80' },
      scaling: { by: 'requestCount', requests: 4 },
    })
    await graphql(documents.saveEndpoint, { input: { ...input, id: saveEndpoint.id } })
    expect(endpoints.spec(saveEndpoint.id).env).not.toHaveProperty('PORT')
  })

  test('volumes: looked up page by page, made, and put where workers look', async () => {
    const { rest, graphql, endpoints } = await createWorld()
    const list = await rest('GET', '/v2/network-volumes')
    expect(list.body).toEqual({ networkVolumes: [], pagination: { hasNextPage: false, nextCursor: null } })
    const sites = (await rest('GET', '/v2/catalog/datacenters')).body.dataCenters
    for (const site of sites) expect(site.networkVolumeTypes).toEqual(['STANDARD'])
    const stock = await rest(
      'GET',
      '/v2/catalog/gpus/NVIDIA%20GeForce%20RTX%204090?include=AVAILABILITY&product=SERVERLESS&count=1&cloud=SECURE',
    )
    expect(stock.body.dataCenters).toContainEqual({ id: 'EU-RO-1', name: 'EU RO 1', availability: 'HIGH' })
    const made = await rest('POST', '/v2/network-volumes', {
      name: 'models',
      size: 50,
      dataCenter: 'EU-RO-1',
    })
    expect(made.status).toBe(201)
    const global = await rest('POST', '/v2/global-volumes', { name: 'shared' })
    expect((await rest('GET', '/v2/global-volumes')).body).toMatchObject({
      globalVolumes: [{ id: global.body.id, name: 'shared' }],
      pagination: { hasNextPage: false },
    })
    const { saveEndpoint } = await graphql(documents.saveEndpoint, {
      input: { ...devInput, networkVolumeIds: [{ networkVolumeId: made.body.id }], locations: 'EU-RO-1' },
    })
    const { mounts, dataCenterId } = endpoints.spec(saveEndpoint.id)
    expect(mounts).toMatchObject([{ target: '/runpod-volume', writable: true }])
    expect(dataCenterId).toBe('EU-RO-1')
    const used = await rest('DELETE', `/v2/network-volumes/${made.body.id}`)
    expect([used.status, used.body.detail]).toEqual([400, expect.stringContaining(saveEndpoint.id)])
  })

  test('tasks: a pod for CPUs, one for GPUs, and their end', async () => {
    const { graphql, rest, ask } = await createWorld()
    const common = {
      name: 'task-resize-0011aabb',
      imageName: 'runpod/task:py3.11-latest',
      ports: '8080/http',
      containerDiskInGb: 10,
      supportPublicIp: true,
      env: [{ key: 'RUNPOD_TASK_PORT', value: '8080' }],
      dataCenterIds: ['EU-RO-1'],
      volumeMounts: [],
    }
    const { deployCpuPod } = await graphql(documents.deployCpuPod, {
      input: { ...common, instanceId: 'cpu3c-2-4' },
    })
    expect(deployCpuPod.desiredStatus).toBe('RUNNING')
    const { podFindAndDeployOnDemand } = await graphql(documents.deployPod, {
      input: { ...common, gpuTypeIdList: ['NVIDIA L4'], gpuCount: 1, allowedCudaVersions: ['12.8'] },
    })
    expect((await rest('GET', '/v2/pods')).body.pods).toMatchObject([
      { id: deployCpuPod.id, cpu: { id: 'cpu3c', vcpuCount: 2, memory: 4 }, status: 'RUNNING' },
      { id: podFindAndDeployOnDemand.id, gpu: { id: 'NVIDIA L4', count: 1 } },
    ])
    expect((await rest('GET', `/v1/pod/${deployCpuPod.id}/logs`)).body).toEqual({ system: [], container: [] })
    expect((await rest('DELETE', `/v2/pods/${deployCpuPod.id}`)).status).toBe(204)
    expect((await rest('DELETE', `/v2/pods/${deployCpuPod.id}`)).status).toBe(404)
    expect((await ask(documents.deployCpuPod, { input: common })).errors![0]!.message).toContain('instanceId')
    expect((await ask(documents.deployPod, { input: common })).errors![0]!.message).toContain('gpuTypeId')
  })

  test('stock of a CPU size, registries, and who one is', async () => {
    const { graphql, rest } = await createWorld()
    const stock = await graphql(documents.cpuStock, {
      cpuFlavorInput: { id: 'cpu3c', isSls: true },
      specificsInput: { dataCenterId: 'EU-RO-1', instanceId: 'cpu3c-1-2', isSls: true },
    })
    expect(stock).toEqual({ cpuFlavors: [{ specifics: { stockStatus: 'HIGH' } }] })
    const added = await rest('POST', '/v2/registries', { name: 'hub', username: 'me', password: 'secret' })
    const changed = await graphql(
      `mutation UpdateRegistryAuth { updateRegistryAuth(input: {id: "${added.body.id}", username: "you", password: "more"}) { id name } }`,
    )
    expect(changed.updateRegistryAuth).toEqual({ id: added.body.id, name: 'hub' })
    expect((await rest('GET', '/v2/registries')).body.registries).toEqual([
      { id: added.body.id, name: 'hub' },
    ])
    expect((await rest('DELETE', `/v2/registries/${added.body.id}`)).status).toBe(204)
    await rest('PUT', '/v2/account/ssh-keys', { keys: ['ssh-ed25519 AAAA me'] })
    expect((await graphql(documents.myself)).myself).toEqual({
      id: 'user_emulator',
      pubKey: 'ssh-ed25519 AAAA me',
      networkVolumes: [],
    })
  })
})

describe('flash 1.x', () => {
  test('the save of an endpoint comes back as it was sent', async () => {
    const { graphql } = await createWorld()
    const { saveEndpoint } = await graphql(documents.saveEndpointOfFlash, { input: flashInput })
    const { template: _template, ...sent } = flashInput
    expect(saveEndpoint).toMatchObject({
      ...sent,
      version: 1,
      workersStandby: 0,
      networkVolumeId: null,
      networkVolumeIds: [],
      flashEnvironmentId: null,
      instanceIds: null,
      activeBuildid: null,
    })
    expect(saveEndpoint.templateId).toMatch(/^[a-z0-9]{10}$/)
  })

  test('update: the endpoint with its templateId, then the live variables and the template', async () => {
    const { graphql, endpoints } = await createWorld()
    const { template, ...fields } = flashInput
    const { saveEndpoint } = await graphql(documents.saveEndpointOfFlash, { input: flashInput })
    const { id, templateId } = saveEndpoint
    await graphql(documents.saveEndpointOfFlash, {
      input: { ...fields, id, templateId, workersMax: 5, aiKey: 'x', userId: null, createdAt: null },
    })
    expect(endpoints.spec(id)).toMatchObject({ version: 1, workersMax: 5 })
    const { podTemplate } = await graphql(documents.getTemplate, { id: templateId })
    expect(podTemplate).toMatchObject({ name: template.name, env: template.env, containerDiskInGb: 64 })
    const env = [...podTemplate.env, { key: '_FLASH_SOURCE_FINGERPRINT', value: 'abc' }]
    const input = { id: templateId, name: template.name, imageName: template.imageName, dockerArgs: '', env }
    await graphql(documents.saveTemplate, { input: { ...input, containerDiskInGb: 64, volumeInGb: 0 } })
    expect(endpoints.spec(id)).toMatchObject({ version: 2, env: { _FLASH_SOURCE_FINGERPRINT: 'abc' } })
  })

  test('deploy: look-up, environments, upload, activation with its address, manifest', async () => {
    const world = await createWorld()
    const { graphql, ask, send, rest } = world
    expect((await ask(documents.appByNameOfFlash, { flashAppName: 'shop' })).errors![0]!.message).toMatch(
      /app not found/i,
    )
    const appId = (await graphql(documents.createApp, { input: { name: 'shop' } })).createFlashApp.id
    const environmentInput = { input: { flashAppId: appId, name: 'production' } }
    const environmentId = (await graphql(documents.createEnvironment, environmentInput))
      .createFlashEnvironment.id
    expect(
      (await graphql(documents.environments, { flashAppId: appId })).flashApp.flashEnvironments,
    ).toMatchObject([{ id: environmentId, state: 'PENDING', activeBuildId: null }])
    const { buildId, objectKey } = await upload(world, appId)
    await graphql(documents.environmentByName, environmentInput)
    const { deployBuildToEnvironment } = await graphql(documents.activateOfFlash, {
      input: { flashEnvironmentId: environmentId, flashBuildId: buildId },
    })
    const { activeArtifact } = deployBuildToEnvironment
    expect(activeArtifact.objectKey).toBe(objectKey)
    const download = await world.account.fetch(new Request(activeArtifact.downloadUrl))
    expect(Buffer.from(await download!.arrayBuffer())).toEqual(toArchive())
    expect((await graphql(documents.build, { input: buildId })).flashBuild.manifest).toMatchObject({
      version: '1',
    })
    expect((await rest('GET', '/v1/networkvolumes')).body).toEqual([])
    const { saveEndpoint } = await graphql(documents.saveEndpointOfFlash, {
      input: { ...flashInput, name: 'resize-fb', flashEnvironmentId: environmentId },
    })
    const manifest = { resources_endpoints: { resize: `${BASE}/v2/${saveEndpoint.id}` } }
    await graphql(documents.updateManifest, { input: { flashBuildId: buildId, manifest } })
    expect((await graphql(documents.build, { input: buildId })).flashBuild.manifest).toEqual(manifest)
    expect((await graphql(documents.builds, { flashAppId: appId })).flashApp.flashBuilds).toMatchObject([
      { id: buildId, objectKey },
    ])
    const names = { app: 'shop', environment: 'production' }
    expect(world.account.lookUp({ ...names, endpoint: 'resize' })).toBe(saveEndpoint.id)
    expect(world.account.lookUp({ ...names, endpoint: 'live-resize' })).toBe(saveEndpoint.id)
    expect(
      (await graphql(documents.environment, { flashEnvironmentId: environmentId })).flashEnvironment,
    ).toMatchObject({ endpoints: [{ id: saveEndpoint.id }], networkVolumes: [] })
    expect((await send(activeArtifact.downloadUrl, { method: 'POST' })).status).toBe(405)
  })

  test('undeploy: deletion answers null, and the probe finds nothing', async () => {
    const { graphql, ask, endpoints } = await createWorld()
    const { saveEndpoint } = await graphql(documents.saveEndpointOfFlash, { input: flashInput })
    const { id, templateId } = saveEndpoint
    expect((await graphql(documents.getEndpoint, { id })).myself).toEqual({ endpoint: { id } })
    expect(await graphql(documents.deleteEndpoint, { id })).toEqual({ deleteEndpoint: null })
    expect(endpoints.removed).toEqual([id])
    expect((await graphql(documents.getEndpoint, { id })).myself).toEqual({ endpoint: null })
    expect(await graphql(documents.getTemplate, { id: templateId })).toEqual({ podTemplate: null })
    expect((await ask(documents.deleteEndpoint, { id })).errors![0]!.message).toContain('not found')
  })

  test('stock of a pool', async () => {
    const { graphql } = await createWorld()
    const { gpuTypes } = await graphql(documents.gpuStock, {
      gpuTypesInput: { ids: ['AMPERE_24'] },
      lowestPriceInput: {
        dataCenterId: null,
        gpuCount: 1,
        secureCloud: true,
        includeAiApi: true,
        allowedCudaVersions: [],
        compliance: [],
      },
    })
    expect(gpuTypes).toHaveLength(3)
    expect(gpuTypes[0]).toEqual({ lowestPrice: { stockStatus: 'HIGH' } })
  })
})

describe('runpod-python 1.12', () => {
  test('template and endpoint with everything in the text', async () => {
    const { graphql, endpoints } = await createWorld()
    const { saveTemplate } = await graphql(`mutation { saveTemplate(input: {
      name: "mine", imageName: "me/worker:1", dockerArgs: "", containerDiskInGb: 10, volumeInGb: 0,
      ports: "", env: [{key: "A", value: "1"}], isServerless: true, containerRegistryAuthId: "",
      startSsh: true, isPublic: false, readme: ""
    }) { id name imageName dockerArgs containerDiskInGb volumeInGb volumeMountPath ports env { key value } isServerless } }`)
    expect(saveTemplate).toMatchObject({ env: [{ key: 'A', value: '1' }], isServerless: true })
    const { saveEndpoint } = await graphql(`mutation { saveEndpoint(input: {
      flashBootType: FLASHBOOT, name: "mine", templateId: "${saveTemplate.id}", gpuIds: "AMPERE_16",
      networkVolumeId: "", locations: "", idleTimeout: 5, scalerType: "QUEUE_DELAY", scalerValue: 4,
      workersMin: 0, workersMax: 3, gpuCount: 1
    }) { id name templateId gpuIds networkVolumeId locations idleTimeout scalerType scalerValue workersMin
      workersMax allowedCudaVersions gpuCount flashBootType } }`)
    expect(saveEndpoint).toMatchObject({ networkVolumeId: '', locations: '', flashBootType: 'FLASHBOOT' })
    expect(endpoints.spec(saveEndpoint.id)).toMatchObject({ env: { A: '1' }, gpuTypeId: 'NVIDIA RTX A4000' })
    const { saveTemplate: other } = await graphql(
      'mutation { saveTemplate(input: {name: "other", imageName: "me/worker:2", env: []}) { id } }',
    )
    await graphql(
      `mutation { updateEndpointTemplate(input: {templateId: "${other.id}", endpointId: "${saveEndpoint.id}"}) { id templateId } }`,
    )
    expect(endpoints.spec(saveEndpoint.id)).toMatchObject({ version: 2, image: 'me/worker:2' })
    const { myself } =
      await graphql(`query { myself { endpoints { aiKey gpuIds id idleTimeout name networkVolumeId
      locations scalerType scalerValue templateId type userId version workersMax workersMin workersStandby gpuCount
      env { key value } createdAt networkVolume { id dataCenterId } } } }`)
    expect(myself.endpoints).toMatchObject([
      { id: saveEndpoint.id, type: 'QB', networkVolume: null, env: [] },
    ])
    await graphql('mutation { deleteTemplate(templateName: "mine") }')
    const { gpuTypes } = await graphql('query GpuTypes { gpuTypes { id displayName memoryInGb } }')
    expect(gpuTypes).toContainEqual({ id: 'NVIDIA L4', displayName: 'L4', memoryInGb: 24 })
  })

  test('registry credentials', async () => {
    const { graphql, ask } = await createWorld()
    const { saveRegistryAuth } = await graphql(
      'mutation { saveRegistryAuth(input: {name: "hub", username: "me", password: "x"}) { id name } }',
    )
    const again = 'mutation { saveRegistryAuth(input: {name: "hub", username: "me", password: "x"}) { id } }'
    expect((await ask(again)).errors![0]!.message).toContain('must be unique')
    await graphql(`mutation { deleteRegistryAuth(registryAuthId: "${saveRegistryAuth.id}") }`)
  })
})
