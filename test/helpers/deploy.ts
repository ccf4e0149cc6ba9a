import type { WatchedEmulator } from './emulator.ts'

/** What Python's SDK 2.0 sends when it deploys. */
const documents = {
  createFlashApp: `mutation createFlashApp($input: CreateFlashAppInput!) { createFlashApp(input: $input) { id name } }`,
  createFlashEnvironment: `mutation createFlashEnvironment($input: CreateFlashEnvironmentInput!) { createFlashEnvironment(input: $input) { id name } }`,
  saveEndpoint: `mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { id name templateId } }`,
}

export interface DeployedEndpoint {
  name: string
  type: 'QB' | 'LB'
  /** Runs in its workers. */
  command: string[]
}

/** Makes an app whose environment `default` has endpoints, as Python's deploy makes them; gives their ids by name. */
export async function deployApp(
  watched: WatchedEmulator,
  name: string,
  endpoints: DeployedEndpoint[],
): Promise<Record<string, string>> {
  const app = await ask(watched, 'createFlashApp', { name })
  const environment = await ask(watched, 'createFlashEnvironment', { flashAppId: app.id, name: 'default' })
  const ids: Record<string, string> = {}
  for (const { name, type, command } of endpoints) {
    const { id } = await ask(watched, 'saveEndpoint', {
      name,
      type,
      flashEnvironmentId: environment.id,
      instanceIds: ['cpu3c-1-2'],
      scalerType: type === 'LB' ? 'REQUEST_COUNT' : 'QUEUE_DELAY',
      scalerValue: 4,
      workersMin: 0,
      workersMax: 1,
      idleTimeout: 60,
      flashBootType: 'FLASHBOOT',
      template: {
        name,
        imageName: 'runpod/queue:latest',
        dockerArgs: command.map((word) => `"${word}"`).join(' '),
        containerDiskInGb: 10,
        env: [],
      },
    })
    ids[name] = id
  }
  return ids
}

async function ask(
  { emulator }: WatchedEmulator,
  field: keyof typeof documents,
  input: object,
): Promise<{ id: string }> {
  const response = await fetch(`http://127.0.0.1:${new URL(emulator.url).port}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${emulator.env.RUNPOD_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: documents[field], variables: { input } }),
  })
  const { data, errors } = (await response.json()) as {
    data: Record<string, { id: string }>
    errors?: unknown
  }
  if (errors) throw new Error(`${field}: ${JSON.stringify(errors)}`)
  return data[field]!
}
