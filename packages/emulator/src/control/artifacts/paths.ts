import { basename, join } from 'node:path'

/** Where the archive of an object lies; the last part of its key is a name that nobody chose. */
export function artifactPath(folder: string, objectKey: string): string {
  return join(folder, 'artifacts', basename(objectKey))
}
