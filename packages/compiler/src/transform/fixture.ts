import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FunctionFact } from '@flash/protocol'
import { parseSync } from 'oxc-parser'
import { isReferenceIdentifier, ScopeTracker, walk } from 'oxc-walker'
import { expect } from 'vitest'
import { analyzeModule } from '../analyze.ts'
import { type ParsedModule, parseModule } from '../parse.ts'
import { propertyName } from '../references.ts'
import type { CompilerHost, ModuleAnalysis, Role } from '../types.ts'

export const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url))

/** Files on disk below `root`; specifiers with a dot are relative, all others are packages. */
export function diskHost(root: string): CompilerHost {
  return {
    async resolve(specifier, importer) {
      if (!specifier.startsWith('.')) return null
      const base = resolve(dirname(importer), specifier)
      return (
        ['', '.ts', '.tsx', '.js']
          .map((end) => base + end)
          .find((file) => extname(file) && existsSync(file)) ?? null
      )
    },
    load: async (file) => readFileSync(file, 'utf8'),
    locate: (file) => locate(file.slice(root.length)),
  }
}

/** Files in an object, by absolute path; relative specifiers get `.ts`. */
export function memoryHost(files: Record<string, string>): CompilerHost {
  return {
    async resolve(specifier, importer) {
      if (!specifier.startsWith('.')) return null
      const base = resolve(dirname(importer), specifier)
      return [base, `${base}.ts`].find((file) => file in files) ?? null
    },
    load: async (file) => files[file] ?? null,
    locate: (file) => locate(file.replace(/^\//, '')),
  }
}

function locate(path: string) {
  return { package: 'example', path, prefix: path.replace(/\.\w+$/, ''), rootPath: path }
}

/** The analysis with facts as a project would add them. */
export async function analyzeWithFacts(
  code: string,
  file: string,
  host: CompilerHost,
): Promise<ModuleAnalysis> {
  const analysis = await analyzeModule(code, file, host)
  if (!analysis) throw new Error(`nothing found in ${file}`)
  const { prefix, path, package: name } = host.locate(file)
  analysis.facts = analysis.functions.map(
    ({ id, exportPath, exported, kind, callables, constructorParams, at, route, api }): FunctionFact => ({
      id,
      package: name,
      path,
      file: path,
      prefix,
      exportPath,
      exported,
      kind,
      ...(route && { route }),
      callables,
      constructorParams,
      setup: null,
      hasInput: false,
      hasOutput: false,
      endpoint: `${prefix}-${api?.name ?? exportPath}`,
      at,
    }),
  )
  return analysis
}

/** Every role a fixture is written in; `// keep: a, b` names what the worker keeps, all of it otherwise. */
export function rolesOf(analysis: ModuleAnalysis): Record<string, Role> {
  const kept = /\/\/ keep: (.*)/.exec(analysis.parsed.code)?.[1]?.split(', ')
  const setup = findSetup(analysis.parsed)
  return {
    client: { kind: 'client', tag: (id) => id.slice(0, 4).repeat(4) },
    server: { kind: 'server' },
    worker: { kind: 'worker', keeps: ({ exportPath }) => kept?.includes(exportPath) ?? true },
    local: { kind: 'local' },
    index: { kind: 'index' },
    ...(setup ? { setup: { kind: 'setup', ...setup } as const } : {}),
  }
}

/** The first value of a property `setup`. */
function findSetup({ program }: ParsedModule): { start: number; end: number } | null {
  let found: { start: number; end: number } | null = null
  walk(program, {
    enter(node) {
      if (found || node.type !== 'Property' || propertyName(node.key, node.computed) !== 'setup') return
      found = { start: node.value.start, end: node.value.end }
    },
  })
  return found
}

/** Parses output as its input was parsed, names that are declared twice and exports without a declaration included. */
export function expectValid(code: string, file: string): void {
  const plain = parseModule(code, file)
  const lang = /\.[cm]?ts$/.test(file) ? 'ts' : file.endsWith('.tsx') ? 'tsx' : 'jsx'
  const { errors } = parseSync(file, code, { lang, sourceType: 'module', showSemanticErrors: true })
  expect(errors.map(({ message }) => message)).toEqual([])
  for (const found of plain.exports.values())
    if (found.kind === 'local' && !found.typeOnly) expect([...plain.bindings.keys()]).toContain(found.local)
}

/** Names of values that a module uses and does not have: globals, when nothing is wrong with it. */
export function freeNames(code: string, file: string): Set<string> {
  const { program } = parseModule(code, file)
  const scopeTracker = new ScopeTracker({ preserveExitedScopes: true })
  walk(program, { scopeTracker })
  scopeTracker.freeze()
  const names = new Set<string>()
  walk(program, {
    scopeTracker,
    enter(node, parent) {
      // Export lists are judged by `expectValid`.
      if (parent?.type === 'ExportSpecifier') return
      const isName =
        (node.type === 'Identifier' || node.type === 'JSXIdentifier') && isReferenceIdentifier(node, parent)
      if (isName && !scopeTracker.isDeclared(node.name, { mode: 'all' })) names.add(node.name)
    },
  })
  return names
}

export function listFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry: Dirent) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}
