import type { AccountContext } from './store.ts'

/** Everything that exists, without keys, passwords, secrets and the values of variables. */
export function toSnapshot({ store }: AccountContext) {
  return {
    endpoints: [...store.endpoints.values()].map(
      ({ aiKey: _aiKey, configuration: _configuration, releases: _releases, ...endpoint }) => endpoint,
    ),
    templates: [...store.templates.values()].map(withoutValues),
    networkVolumes: [...store.networkVolumes.values()],
    globalVolumes: [...store.globalVolumes.values()],
    registries: [...store.registries.values()].map(({ id, name }) => ({ id, name })),
    secrets: [...store.secrets.values()].map(({ id, name, createdAt }) => ({ id, name, createdAt })),
    apps: [...store.apps.values()],
    environments: [...store.environments.values()],
    builds: [...store.builds.values()].map(({ manifest: _manifest, ...build }) => build),
    pods: [...store.pods.values()].map(withoutValues),
    authRequests: [...store.authRequests.values()].map(({ state, expiresAt }) => ({ state, expiresAt })),
  }
}

function withoutValues<T extends { env: { key: string }[] }>({ env, ...record }: T) {
  return { ...record, env: env.map(({ key }) => key) }
}
