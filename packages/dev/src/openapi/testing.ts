import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createProject, type Project } from '@flash/compiler'
import { Validator } from '@seriousme/openapi-schema-validator'
import { createRouteTable } from '../routes/table.ts'
import { createDocument } from './document.ts'
import type { OpenApiDocument } from './types.ts'

export interface DocumentedProject extends Disposable {
  project: Project
  document(): Promise<OpenApiDocument>
}

/** A project of real files, and its document. */
export async function createDocumentedProject(files: Record<string, string>): Promise<DocumentedProject> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flash-openapi-')))
  for (const [file, text] of Object.entries({ 'package.json': '{ "name": "app" }', ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
  const project = createProject({
    root,
    host: {
      resolve: async (specifier, importer) => {
        const file = resolve(dirname(importer), `${specifier}.ts`)
        return specifier.startsWith('.') && existsSync(file) ? file : null
      },
      load: async (file) => (existsSync(file) ? readFileSync(file, 'utf8') : null),
    },
  })
  await project.scan()
  return {
    project,
    document: () =>
      createDocument({
        table: createRouteTable(project.functions()),
        signature: project.signature,
        schemas: project.schemas,
        title: 'app',
        version: '1.2.3',
      }),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

const validator = new Validator()

/** What is wrong with a document: a validator's word, references that lead nowhere, identifiers that are there twice. */
export async function findFaults(document: OpenApiDocument): Promise<string[]> {
  const copy = JSON.parse(JSON.stringify(document)) as OpenApiDocument
  const { valid, errors } = await validator.validate(copy as never)
  if (!valid) return [JSON.stringify(errors)]
  const texts = JSON.stringify(copy).matchAll(/"\$ref":"#\/components\/(schemas|responses)\/([^"]+)"/g)
  const lost = [...texts].filter(
    ([, kind, name]) => !Object.hasOwn(copy.components[kind as 'schemas'], name!),
  )
  const ids = [...JSON.stringify(copy.paths).matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id!)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  const templates = Object.keys(copy.paths).map((path) => path.replaceAll(/\{\w+\}/g, '{}'))
  const same = templates.filter((path, index) => templates.indexOf(path) !== index)
  return [...lost.map(([text]) => text), ...twice, ...same]
}
