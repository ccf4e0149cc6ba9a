import type { ManifestExternal } from '@flash/protocol'

/** `package.json` of an endpoint's folder: what has to be installed beside the bundle. */
export function packageFile(endpoint: string, externals: readonly ManifestExternal[]): string {
  const content = {
    name: endpoint.toLowerCase(),
    private: true,
    type: 'module',
    engines: { node: '^20.19 || >=22.12' },
    dependencies: Object.fromEntries(externals.map(({ name, version }) => [name, version])),
  }
  return `${JSON.stringify(content, null, 2)}\n`
}
