const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/
const devicePattern = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i
const buildPattern = /^(?:flash_manifest\.json|app\.tar\.gz)$/i

/**
 * Why a text cannot be the name of an endpoint, as the end of a sentence; `undefined` when it can.
 *
 * ```text
 * ab            has 2 characters; 3 to 63 are allowed
 * live-x        begins with "live-", which marks endpoints made while developing
 * ```
 */
export function checkEndpointName(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) {
    return `has ${name.length} character${name.length === 1 ? '' : 's'}; 3 to 63 are allowed`
  }
  if (!namePattern.test(name)) {
    return 'may have letters, digits, ".", "_" and "-" only, and must begin and end with a letter or digit'
  }
  if (/^live-/i.test(name)) return 'begins with "live-", which marks endpoints made while developing'
  // The platform's own development sessions use this shape and delete what has it.
  if (/^dev-.*-[0-9a-f]{6}$/i.test(name)) {
    return 'has the shape "dev-…-<6 hex digits>", which other development sessions take for theirs and delete'
  }
  if (/^flash$/i.test(name)) return 'is the id of the platform’s own look-up'
  // Each endpoint is a folder of the build.
  if (devicePattern.test(name)) return 'is the name of a device on Windows, where no folder can have it'
  if (buildPattern.test(name)) return 'is the name of a file in the folder of the build'
  return undefined
}
