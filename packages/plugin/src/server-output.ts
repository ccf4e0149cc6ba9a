import type { RunnableDevEnvironment, ResolvedConfig, ViteDevServer } from 'vite'

type Environments = ResolvedConfig['environments']

/** What tells whether a configuration makes code for servers. */
export interface BuildConfig {
  build: ResolvedConfig['build']
  environments: Record<string, Pick<Environments[string], 'consumer' | 'build' | 'input'>>
}

/** Whether the build makes code that runs on a server, the workers of functions apart. */
export function hasServerOutput({ build, environments }: BuildConfig): boolean {
  if (build.ssr) return true
  return Object.entries(environments).some(
    ([name, environment]) =>
      name !== 'flash' && environment.consumer === 'server' && hasInput(environment, build),
  )
}

/** Whether an environment says itself what it is made of; it has the input of the pages where it says nothing. */
function hasInput(
  { input, build }: BuildConfig['environments'][string],
  { rolldownOptions: pages }: BuildConfig['build'],
): boolean {
  const own = build.rolldownOptions.input
  const isOwn = own !== undefined && JSON.stringify(own) !== JSON.stringify(pages.input)
  return isOwn || input !== undefined || typeof build.ssr === 'string'
}

/** Where code of the app's own server runs while developing; `null` when the dev server cannot run code there. */
export async function findServerEnvironment({
  config,
  environments,
}: ViteDevServer): Promise<RunnableDevEnvironment | null> {
  const { isRunnableDevEnvironment } = await import('vite')
  const own = Object.values(environments)
    .filter(({ name, config: { consumer } }) => name !== 'flash' && consumer === 'server')
    .filter(isRunnableDevEnvironment)
  const named = own.find((environment) => hasInput(environment.config, config.build))
  return named ?? own.find(({ name }) => name === 'ssr') ?? own[0] ?? null
}
