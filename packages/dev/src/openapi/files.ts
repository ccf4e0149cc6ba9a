import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the page loads, by name, with its type. */
export const pageFiles: ReadonlyMap<string, string> = new Map([
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
])

const require = createRequire(import.meta.url)
const beside = fileURLToPath(new URL('./docs/', import.meta.url))

/**
 * A file of the page.
 *
 * - `folder`: where the published package has it, beside this program; in its repository the library is installed instead.
 */
export function readPageFile(name: string, folder = beside): Promise<Buffer<ArrayBuffer>> {
  return readFile(join(existsSync(folder) ? folder : installed(), name))
}

function installed(): string {
  return dirname(require.resolve('swagger-ui-dist/package.json'))
}
