import type { FoundApi, FoundFunction } from '../types.ts'

/** What a config belongs to: the function itself, or the endpoint that routes are made with. */
export function ownerOf({ id, exportPath, api }: FoundFunction): Pick<FoundApi, 'id' | 'name'> {
  return api ?? { id, name: exportPath }
}
