import { describe, expect, test } from 'vitest'
import { devInput, documents } from './testing/documents.ts'
import { createWorld, KEY } from './testing/world.ts'

describe('accepts', () => {
  test('the key of the account, with Bearer or without, and nothing else', async () => {
    const { account } = await createWorld()
    for (const header of [KEY, `Bearer ${KEY}`, `bearer  ${KEY}`, ` ${KEY} `])
      expect(account.accepts(header)).toBe(true)
    for (const header of [
      null,
      '',
      'Bearer',
      'Bearer ',
      `${KEY}x`,
      KEY.slice(1),
      KEY.toUpperCase(),
      `Basic ${KEY}`,
    ])
      expect(account.accepts(header)).toBe(false)
  })

  test('the key of an endpoint opens that one, and not the account', async () => {
    const { account, graphql, rest, send } = await createWorld()
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: devInput })
    const { id, aiKey } = saveEndpoint
    expect(account.accepts(`Bearer ${aiKey}`, id)).toBe(true)
    expect(account.accepts(KEY, id)).toBe(true)
    expect(account.accepts('wrong', id)).toBe(false)
    expect(account.accepts(aiKey, 'other')).toBe(false)
    expect(account.accepts(aiKey)).toBe(false)
    expect((await send('/v2/serverless', { headers: { authorization: aiKey } })).status).toBe(401)
    await rest('DELETE', `/v2/serverless/${id}`)
    expect(account.accepts(aiKey, id)).toBe(false)
  })
})

describe('lookUp', () => {
  const save = (name: string, env: Record<string, string>) => ({
    ...devInput,
    name,
    template: {
      ...devInput.template,
      name: `${name}-template`,
      env: Object.entries(env).map(([key, value]) => ({ key, value })),
    },
  })

  test('by the variables of an endpoint that no environment has', async () => {
    const { account, graphql } = await createWorld()
    const make = async (name: string, env: Record<string, string>) =>
      (await graphql(documents.saveEndpoint, { input: save(name, env) })).saveEndpoint.id as string
    const id = await make('resize', { FLASH_APP: 'shop', FLASH_ENV: 'staging' })
    const prefixed = await make('tmp-resize', {
      FLASH_APP: 'shop',
      FLASH_ENV: 'test',
      FLASH_RESOURCE_NAME: 'resize',
    })
    const names = { app: 'shop', environment: 'staging', endpoint: 'resize' }
    expect(account.lookUp(names)).toBe(id)
    expect(account.lookUp({ ...names, endpoint: 'live-resize-fb' })).toBe(id)
    expect(account.lookUp({ ...names, environment: 'test' })).toBe(prefixed)
    expect(account.lookUp({ ...names, endpoint: 'other' })).toBeUndefined()
    expect(account.lookUp({ ...names, app: 'other' })).toBeUndefined()
    expect(account.lookUp({ app: '', environment: '', endpoint: '' })).toBeUndefined()
  })

  test('a name as it stands comes before one that is bared', async () => {
    const { account, graphql } = await createWorld()
    const env = { FLASH_APP: 'shop', FLASH_ENV: 'staging' }
    await graphql(documents.saveEndpoint, { input: save('live-a', env) })
    const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: save('a', env) })
    expect(account.lookUp({ app: 'shop', environment: 'staging', endpoint: 'a' })).toBe(saveEndpoint.id)
  })
})

test('the snapshot has everything but what is secret', async () => {
  const { account, graphql, rest } = await createWorld()
  await graphql(documents.saveEndpoint, { input: devInput })
  await graphql(documents.createSecret, { input: { name: 'hf', value: 'hidden-1' } })
  await rest('POST', '/v2/registries', { name: 'hub', username: 'me', password: 'hidden-2' })
  await graphql(documents.createAuthRequest)
  const { myself } = await graphql('{ myself { endpoints { aiKey } } }')
  const text = JSON.stringify(account.snapshot())
  expect(text).toContain('"RUNPOD_DEV_APP"')
  for (const hidden of ['hidden-1', 'hidden-2', 'rpa_client', KEY, myself.endpoints[0].aiKey])
    expect(text).not.toContain(hidden)
})

test('closing waits for what goes on', async () => {
  const { account, endpoints, graphql } = await createWorld()
  const { saveEndpoint } = await graphql(documents.saveEndpoint, { input: devInput })
  let isGone = false
  endpoints.remove = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    isGone = true
    throw new Error('the launcher is broken')
  }
  await graphql(documents.deleteEndpoint, { id: saveEndpoint.id })
  expect(isGone).toBe(false)
  await account.close()
  expect(isGone).toBe(true)
})
