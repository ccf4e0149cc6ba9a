import type { SourceMapInput } from './source-map.ts'

/** What stands in a bundle for names that only CommonJS modules have. */
export const DIRNAME = '__flash_dirname'
export const FILENAME = '__flash_filename'
export const REQUIRE = '__flash_require'

const createRequire = `import { createRequire as __flash_createRequire } from 'node:module';`

const definitions: [name: string, line: string][] = [
  [DIRNAME, `const ${DIRNAME} = import.meta.dirname;`],
  [FILENAME, `const ${FILENAME} = import.meta.filename;`],
  [REQUIRE, `${createRequire} const ${REQUIRE} = __flash_createRequire(import.meta.url);`],
]

/** Defines, in front of everything, what the code uses of these names; they mean the bundle and its folder. */
export function addHead(code: string, map: SourceMapInput): { code: string; map: SourceMapInput } {
  const lines = definitions.filter(([name]) => code.includes(name)).map(([, line]) => `${line}\n`)
  return {
    code: lines.join('') + code,
    map: { ...map, mappings: ';'.repeat(lines.length) + map.mappings },
  }
}
