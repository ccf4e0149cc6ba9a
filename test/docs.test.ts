import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import {
  CpuInstance,
  CudaVersion,
  DataCenter,
  errorCodes,
  GpuGroup,
  GpuType,
  parseEndpointConfig,
  toEndpointConfig,
} from '@flash/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseSync } from 'vite'
import { queueVerbs } from '@flash/dev'
import { isLike, readExamples, runCurl } from './helpers/curl.ts'
import {
  anchorsIn,
  type Block,
  codesIn,
  type Page,
  readBlocks,
  readPage,
  readPages,
  readTables,
  withoutBlocks,
} from './helpers/markdown.ts'
import { createProject, type Project, repository } from './helpers/project.ts'
import { startVite, type ViteProcess } from './helpers/vite.ts'

const run = promisify(execFile)
const viteProgram = join(repository, 'node_modules/vite/bin/vite.js')
const pages = readPages()
const packagePage = readPage('packages/unplugin-flash/README.md')
const authoring = readPage('docs/authoring.md')
const config = readPage('docs/config.md')
const dev = readPage('docs/dev.md')
const build = readPage('docs/build.md')
const production = readPage('docs/production.md')
const worker = readPage('docs/worker.md')
const emulator = readPage('docs/emulator.md')

/** The rows of all tables whose first column has this title. */
function rowsOf(page: Page, title: string): string[][] {
  return readTables(page)
    .filter(({ head }) => head[0] === title)
    .flatMap(({ rows }) => rows)
}

/** A value as the documentation writes it; `none` is no value. */
function valueIn(cell: string): unknown {
  const [code] = codesIn(cell)
  return code === undefined ? undefined : JSON.parse(JSON.stringify(runInNewContext(`(${code})`)))
}

/** All files of a folder's source, without tests. */
function sourcesIn(folder: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test(-d)?\.ts$|fixtures\/|testing/.test(name))
    .map((name) => join(repository, folder, name))
}

describe('errors', () => {
  const rows = rowsOf(readPage('docs/errors.md'), 'code')

  test('every code is there once, with its status, and no other', () => {
    const documented = rows.map(([code, status]) => [codesIn(code!)[0], Number(status)])
    const codes = Object.entries(errorCodes).map(([code, { status }]) => [code, status])
    expect(documented.sort()).toEqual(codes.sort())
  })

  test('every code has a meaning and a next step', () => {
    for (const [code, , meaning, step] of rows) {
      expect(meaning?.length, `meaning of ${code}`).toBeGreaterThan(10)
      expect(step?.length, `next step of ${code}`).toBeGreaterThan(10)
    }
  })

  test('a code that any page names exists', () => {
    const looksLikeCode = /^[A-Z]{2,}(?:_[A-Z]+)+$/
    const named = pages.flatMap((page) =>
      codesIn(withoutBlocks(page)).filter((code) => looksLikeCode.test(code)),
    )
    const others = new Set([
      ...rowsOf(config, 'variable').flatMap(([cell]) => codesIn(cell!)),
      ...rowsOf(worker, 'variable of a worker').flatMap(([cell]) => codesIn(cell!)),
      ...rowsOf(emulator, 'variable of a client').flatMap(([cell]) => codesIn(cell!)),
      ...rowsOf(emulator, 'variable of an endpoint').flatMap(([cell]) => codesIn(cell!)),
      ...codesIn(config.text),
      'IN_QUEUE',
      'IN_PROGRESS',
      'TIMED_OUT',
      'ONNXRUNTIME_NODE_INSTALL',
    ])
    const isOther = (name: string) => others.has(name) || name.startsWith('FLASH_ENDPOINT_')
    expect(named.filter((code) => !Object.hasOwn(errorCodes, code) && !isOther(code))).toEqual([])
  })
})

describe('config', () => {
  const rows = rowsOf(config, 'field')
  const fields = rows.map(([cell]) => codesIn(cell!)[0]!)
  const defaultOf = (field: string) => valueIn(rows[fields.indexOf(field)]![2]!)
  const parse = (raw: unknown) => parseEndpointConfig(raw, () => undefined)
  const usual: Record<string, unknown> = { ...toEndpointConfig(parse({})) }

  /** The parser names its fields when one is unknown. */
  function fieldsOf(raw: object): string[] {
    try {
      parse(raw)
    } catch (error) {
      return /the fields are (.+)$/m.exec((error as Error).message)![1]!.split(/, | and /)
    }
    throw new Error('nothing was refused')
  }

  function namesIn(title: string): string[] {
    return rowsOf(config, title).flatMap(([cell]) => codesIn(cell!))
  }

  test('every field the parser knows is there once, and no other', () => {
    const top = fields.filter((field) => !field.startsWith('dev.'))
    expect(top.sort()).toEqual(fieldsOf({ qqqqqq: 1 }).sort())
    const inDev = fields.filter((field) => field.startsWith('dev.')).map((field) => field.slice(4))
    expect(inDev.sort()).toEqual(fieldsOf({ dev: { qqqqqq: 1 } }).sort())
  })

  for (const [title, value] of [
    ['field of `PodTemplate`', { template: { kind: 'template', qqqqqq: 1 } }],
    ['field of `NetworkVolume`', { volumes: { kind: 'network', name: 'a', qqqqqq: 1 } }],
    ['field of `GlobalVolume`', { volumes: { kind: 'global', name: 'a', qqqqqq: 1 } }],
  ] as const) {
    test(`every ${title} is there, and no other`, () => {
      expect(namesIn(title).sort()).toEqual(fieldsOf(value).sort())
    })
  }

  test('defaults are those of the parser', () => {
    const documented = Object.fromEntries(
      fields.filter((field) => !field.startsWith('dev.')).map((field) => [field, defaultOf(field)]),
    )
    expect(documented).toEqual(usual)
    expect({ workers: defaultOf('dev.workers'), keepWarm: defaultOf('dev.keepWarm') }).toEqual(usual.dev)
    const volume = toEndpointConfig(parse({ volumes: { kind: 'network', name: 'a' } })).volumes
    const row = (name: string) =>
      rowsOf(config, 'field of `NetworkVolume`').find(([cell]) => cell === name)![2]!
    expect(volume).toMatchObject([{ sizeGb: valueIn(row('`sizeGb`')), create: valueIn(row('`create`')) }])
  })

  const limited = [
    ...rows.map(([name, , , limits]) => [codesIn(name!)[0]!, limits!] as const),
    ...rowsOf(config, 'field of `NetworkVolume`').map(
      ([name, , , limits]) => [`volumes.${codesIn(name!)[0]!}`, limits!] as const,
    ),
  ].flatMap(([field, limits]) => {
    const range = /^(?:from ([\d,]+)|([\d,]+)–([\d,]+))/.exec(limits)
    if (!range) return []
    const [min, max] = [range[1] ?? range[2]!, range[3]].map(
      (text) => text && Number(text.replaceAll(',', '')),
    )
    return [[field, min as number, max as number | undefined] as const]
  })

  test.for(limited)('%s has the limits that are written', ([field, min, max]) => {
    const set = (value: number) => {
      if (field.startsWith('dev.')) return parse({ dev: { [field.slice(4)]: value } })
      if (!field.startsWith('volumes.')) return parse({ [field]: value })
      return parse({ volumes: { kind: 'network', name: 'a', [field.slice(8)]: value } })
    }
    expect(() => set(min)).not.toThrow()
    expect(() => set(min - 1)).toThrow(field.split('.').at(-1))
    if (max === undefined) return void expect(() => set(min + 1_000)).not.toThrow()
    expect(() => set(max)).not.toThrow()
    expect(() => set(max + 1)).toThrow(field.split('.').at(-1))
  })

  test('limits were found in the tables', () => {
    expect(limited.length).toBeGreaterThan(8)
  })

  test('every field is in an example', () => {
    const examples = readBlocks(config)
      .filter(({ language }) => language === 'ts')
      .map(({ text }) => text)
      .join('\n')
    const missing = [...fields, ...namesIn('field of `NetworkVolume`')]
      .map((field) => field.split('.').at(-1)!)
      .filter((field) => !['id', 'kind', 'create'].includes(field))
      .filter((field) => !new RegExp(`\\b${field}\\b[:,]`).test(examples))
    expect(missing).toEqual([])
  })

  test('reserved variables are refused, and a worker inherits exactly what is listed', () => {
    const [, allowed, refused] =
      /A worker has nothing else([\s\S]*?)`NODE_ENV`[\s\S]*?Refused \(`RESERVED_ENV`\)([\s\S]*?)\n\n/.exec(
        config.text,
      )!
    expect(codesIn(allowed!).sort()).toEqual(
      (constantOf('packages/server/src/local/env.ts', 'inherited') as string[]).sort(),
    )
    const names = codesIn(refused!).map((name) => (name.endsWith('_') ? `${name}X` : name))
    for (const name of names) expect(() => parse({ env: { [name]: 'x' } }), name).toThrow(/is not allowed/)
  })

  test.for([
    ['GpuGroup', GpuGroup],
    ['GpuType', GpuType],
    ['CpuInstance', CpuInstance],
    ['CudaVersion', CudaVersion],
    ['DataCenter', DataCenter],
  ] as const)('the list of %s is complete', ([name, known]) => {
    const list = new RegExp(`^- \`${name}\`: ((?:.|\n  )*)`, 'm').exec(config.text)![1]!
    expect(codesIn(list).sort()).toEqual(Object.values(known).sort())
  })
})

describe('options and variables', () => {
  test('every option of the plugin is there with its default', () => {
    const documented = rowsOf(config, 'option').map(
      ([name, , value]) => [codesIn(name!)[0]!, valueIn(value!)] as const,
    )
    const file = 'packages/plugin/src/options.ts'
    const known = [
      ...namesOf(file, 'checks'),
      ...namesOf(file, 'workerChecks').map((name) => `worker.${name}`),
      ...namesOf(file, 'callsChecks').map((name) => `calls.${name}`),
    ]
    expect(documented.map(([name]) => name).sort()).toEqual(known.sort())
    const usual = Object.fromEntries(
      documented.filter(([name, value]) => !name.includes('.') && value !== undefined),
    )
    expect(constantOf(file, 'defaults')).toEqual(usual)
  })

  const namesOf = (file: string, constant: string) => {
    const found = nodesOf(file).find((node: any) => node.id?.name === constant) as any
    const literal = found.init.type === 'TSAsExpression' ? found.init.expression : found.init
    return literal.properties.map(({ key }: any) => key.name) as string[]
  }

  test('every argument of flash start is there, and no other', () => {
    const documented = rowsOf(production, 'argument').map(([cell]) => /--(\w+)/.exec(cell!)![1]!)
    expect(documented.sort()).toEqual(namesOf('packages/cli/src/commands/start.ts', 'args').sort())
  })

  test('every argument and option of the emulator is there, and no other', () => {
    const documented = rowsOf(emulator, 'argument').map(([cell]) => /--(\w+)/.exec(cell!)![1]!)
    expect(documented.sort()).toEqual(namesOf('packages/cli/src/commands/emulator.ts', 'args').sort())
    const file = 'packages/emulator/src/emulator.ts'
    const options = nodesOf(file).find(
      (node: any) => node.type === 'TSInterfaceDeclaration' && node.id.name === 'EmulatorOptions',
    ) as any
    const names = options.body.body.map(({ key }: any) => key.name) as string[]
    expect(
      rowsOf(emulator, 'option')
        .map(([cell]) => codesIn(cell!)[0]!)
        .sort(),
    ).toEqual(names.sort())
  })

  test('every metric is there, and no other', () => {
    const documented = rowsOf(readPage('docs/between-endpoints.md'), 'name of a metric')
    const names = constantOf('packages/runtime/src/metrics.ts', 'metricNames') as string[]
    expect(documented.map(([cell]) => codesIn(cell!)[0]!).sort()).toEqual([...names].sort())
  })

  test('every fault and every variable of the emulator is there, and no other', async () => {
    const { createEmulator } = await import('@flash/emulator/runpod')
    const running = await createEmulator({ launcher: 'external', tls: true })
    const env = Object.keys(running.env)
    await running.close()
    const variables = rowsOf(emulator, 'variable of a client').flatMap(([cell]) => codesIn(cell!))
    expect(variables.sort()).toEqual([...env, 'FLASH_ENDPOINT_<NAME>'].sort())
    const kinds = nodesOf('packages/emulator/src/own/fault.ts').find(
      (node: any) => node.type === 'VariableDeclarator' && node.id.name === 'kinds',
    ) as any
    const keysOf = ({ properties }: any) => properties.map(({ key }: any) => key.name) as string[]
    const known = kinds.init.properties.map(({ key, value }: any) => [key.name, keysOf(value)])
    const faults = rowsOf(emulator, 'fault').map(([kind, fields]) => [codesIn(kind!)[0]!, codesIn(fields!)])
    expect(faults.sort()).toEqual(known.sort())
  })

  test('every option and argument of a hand-written worker is there, and no other', () => {
    const membersOf = (name: string) => {
      const found = nodesOf('worker/src/handler/types.ts').find(
        (node: any) => node.type === 'TSInterfaceDeclaration' && node.id.name === name,
      ) as any
      return found.body.body.map(({ key }: any) => key.name) as string[]
    }
    const options = rowsOf(worker, 'option').map(([cell]) => codesIn(cell!)[0]!)
    const known = new Set([...membersOf('HandlerOptions'), ...membersOf('FetchOptions')])
    expect(options.sort()).toEqual([...known].sort())
    const documented = rowsOf(worker, 'argument').map(([cell]) => /--(\w+)/.exec(cell!)![1]!)
    const file = 'worker/src/handler/arguments.ts'
    const flags = nodesOf(file).find(
      (node: any) => node.type === 'TSTypeAliasDeclaration' && node.id.name === 'Flag',
    ) as any
    const names = flags.typeAnnotation.types.map(({ literal }: any) => literal.value)
    expect(documented.sort()).toEqual(names.sort())
  })

  test('every option of the handler is there, and no other', () => {
    const documented = rowsOf(production, 'option of the handler').map(([cell]) => codesIn(cell!)[0]!)
    expect(documented.sort()).toEqual(namesOf('packages/server/src/handler-options.ts', 'checks').sort())
  })

  test('every field of the manifest is there, and no other', () => {
    const documented = rowsOf(build, 'field of the manifest').map(([cell]) => codesIn(cell!)[0]!)
    const fieldsOf = (name: string) => {
      const found = nodesOf('packages/protocol/src/manifest/schema.ts').find(
        (node: any) => node.type === 'TSInterfaceDeclaration' && node.id.name === name,
      ) as any
      return found.body.body.map(({ key }: any) => key.name) as string[]
    }
    const top = fieldsOf('Manifest').filter((name) => name !== 'endpoints')
    const ofEndpoints = fieldsOf('ManifestEndpoint').map((name) => `endpoints.<name>.${name}`)
    expect(documented.sort()).toEqual([...top, ...ofEndpoints].sort())
  })

  test('every variable the sources read is there, and no other', () => {
    const found = new Set<string>()
    for (const file of ['packages', 'worker/src']
      .flatMap(sourcesIn)
      .filter((file) => !/\/dist\//.test(file))) {
      const code = withoutComments(file)
      for (const [name] of code.matchAll(/\b_?FLASH_[A-Z]\w*/g))
        found.add(name === 'FLASH_ENDPOINT_' ? 'FLASH_ENDPOINT_<NAME>' : name)
      for (const [name] of code.matchAll(/\bRUNPOD_(?:API_KEY|ENDPOINT_BASE_URL)\b/g)) found.add(name)
      for (const [, name] of code.matchAll(/(?<!import\.meta\.)\benv\??\.([A-Z][A-Z_]+)\b/g)) found.add(name!)
      if (!/\/worker\/src\/|protocol\/src\/worker\.ts$/.test(file)) continue
      for (const [name] of code.matchAll(/\bRUNPOD_[A-Z_]+\b/g)) found.add(name)
    }
    const rows = [
      ...rowsOf(config, 'variable'),
      ...rowsOf(worker, 'variable of a worker'),
      ...rowsOf(emulator, 'variable of an endpoint'),
    ]
    const documented = new Set(rows.flatMap(([cell]) => codesIn(cell!)))
    expect([...documented].sort()).toEqual([...found].sort())
  })
})

function withoutComments(file: string): string {
  let code = readFileSync(file, 'utf8')
  for (const { start, end } of parseSync(file, code).comments)
    code = code.slice(0, start) + ' '.repeat(end - start) + code.slice(end)
  return code
}

test('every number that limits what travels is written', () => {
  const numbers = constantOf('packages/protocol/src/codec/limits.ts', 'decodeLimits') as Record<
    string,
    number
  >
  const limits = Object.values(numbers).map((limit) => limit.toLocaleString('en-US'))
  const text = /^Limits: [\s\S]*?\n\n/m.exec(authoring.text)![0]
  expect(limits.filter((limit) => !new RegExp(`(?<![\\d,])${limit}(?![\\d,])`).test(text))).toEqual([])
})

describe('routes', () => {
  const documented = rowsOf(dev, 'route').map(([cell]) => {
    const [method, path] = codesIn(cell!)[0]!.split(' ') as [string, string]
    return { method, path: path.slice('/_flash'.length) || '/' }
  })

  test('those of functions are the verbs of the dev server', () => {
    const ofFunctions = documented
      .filter(({ path }) => path.startsWith('/{function}/'))
      .map(({ method, path }) => `${method} ${path.slice('/{function}/'.length)}`)
    expect(ofFunctions.sort()).toEqual(readVerbs().sort())
  })

  test('the others are those the dev server registers', () => {
    const others = documented
      .filter(({ path }) => !path.startsWith('/{function}/'))
      .map(({ path }) => path.replace('/{id}.{tag}', '/:path'))
    expect(others.sort()).toEqual(readRegistered().sort())
  })
})

interface AstNode {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

function nodesOf(file: string): AstNode[] {
  const nodes: AstNode[] = []
  const visit = (value: unknown) => {
    if (Array.isArray(value)) value.forEach(visit)
    if (typeof value !== 'object' || value === null || !('type' in value)) return
    nodes.push(value as AstNode)
    Object.values(value).forEach(visit)
  }
  visit(parseSync(file, readFileSync(join(repository, file), 'utf8')).program)
  return nodes
}

function textOf(file: string, { start, end }: AstNode): string {
  return readFileSync(join(repository, file), 'utf8').slice(start, end)
}

/** The value of a constant that is written as a literal. */
function constantOf(file: string, name: string): unknown {
  const declaration = nodesOf(file).find(
    (node: any) => node.type === 'VariableDeclarator' && node.id.name === name,
  ) as any
  return JSON.parse(
    JSON.stringify(runInNewContext(`(${textOf(file, declaration.init).replace(/ as const$/, '')})`)),
  )
}

/** `POST cancel/{id}`, as the table of verbs says it. */
function readVerbs(): string[] {
  return Object.entries(queueVerbs).map(
    ([name, { method, takesId }]) => `${method} ${name}${takesId ? '/{id}' : ''}`,
  )
}

/** Paths given to the app itself; `/**` leads to the verbs, and what is below `/docs/` are the parts of that page. */
function readRegistered(): string[] {
  return ['routes/app', 'routes/queue', 'openapi/routes']
    .flatMap((name) => nodesOf(`packages/dev/src/${name}.ts`))
    .filter((node: any) => /^(?:get|post|put|patch|delete|all|on)$/.test(node.callee?.property?.name ?? ''))
    .map((node: any) => node.arguments[0]?.value)
    .filter((path) => typeof path === 'string' && /^\/(?!\*\*$|docs\/)/.test(path))
}

describe('pages', () => {
  test('every npm script they name exists', () => {
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
    const named = pages.flatMap(({ text }) => [
      ...text.matchAll(/npm (?:run )?(start|test|(?<=run )[\w:]+)/g),
    ])
    expect(named.length).toBeGreaterThan(3)
    expect(named.map(([, name]) => name!).filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test('every link leads to a file and a heading', () => {
    const broken = pages.flatMap((page) =>
      [...withoutBlocks(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^https?:/.test(target))
        .filter((target) => {
          const [path, anchor] = target.split('#', 2) as [string, string | undefined]
          const file = path === '' ? page.file : join(dirname(page.file), path)
          if (!existsSync(join(repository, file))) return true
          return anchor !== undefined && !anchorsIn(readPage(file)).includes(anchor)
        })
        .map((target) => `${page.file}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  test('the published package has a README that begins like this one', () => {
    const beginning = ({ text }: Page) => text.split('\n\n').slice(0, 2)
    expect(beginning(packagePage)).toEqual(beginning(readPage('README.md')))
    const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--workspace', 'unplugin-flash'], {
      cwd: repository,
      encoding: 'utf8',
      stdio: 'pipe',
    })
    expect(packed.includes('"path": "README.md"')).toBe(true)
  })
})

/** Blocks that begin with `// src/words.ts` are files of one project, the others stand alone. */
function filesOf(page: Page, languages: string[]): Record<string, string> {
  const blocks = readBlocks(page).filter(({ language }) => languages.includes(language))
  return Object.fromEntries(blocks.map((block) => [nameOf(block), block.text]))
}

function nameOf({ text, language, line }: Block): string {
  return /^\/\/ ([\w./-]+\.m?[jt]s)[,\n]/.exec(text)?.[1] ?? `src/line-${line}.${language}`
}

test('every example compiles against the real types', async () => {
  const fields = rowsOf(config, 'field').map(([cell]) => codesIn(cell!)[0]!)
  const options = rowsOf(config, 'option')
    .map(([cell]) => codesIn(cell!)[0]!)
    .filter((name) => !name.includes('.'))
  const record = (names: string[]) => `{ ${names.map((name) => `${name}: true`).join(', ')} }`
  const top = fields.filter((field) => !field.includes('.'))
  const files: Record<string, string> = {
    'all-fields.ts': `import type { EndpointConfig } from 'unplugin-flash'
import type { PluginOptions } from 'unplugin-flash/vite'
export const fields = ${record(top)} satisfies Record<keyof EndpointConfig, true>
export const options = ${record(options)} satisfies Record<keyof PluginOptions, true>
`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        strict: true,
        target: 'ES2023',
        module: 'ESNext',
        moduleResolution: 'Bundler',
        moduleDetection: 'force',
        lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
        types: ['node', 'vite/client'],
        allowJs: true,
        checkJs: true,
        noEmit: true,
        skipLibCheck: true,
      },
      include: ['pages', 'all-fields.ts'],
    }),
  }
  let count = 0
  for (const page of [...pages, packagePage]) {
    for (const [name, text] of Object.entries(filesOf(page, ['ts', 'js']))) {
      files[`pages/${page.file.replace(/\W/g, '-')}/${name}`] = text
      count++
    }
  }
  expect(count).toBeGreaterThan(30)
  const project = createProject(files)
  try {
    const tsc = join(repository, 'node_modules/typescript/bin/tsc')
    const wrong = await run(process.execPath, [tsc, '-p', project.root], { cwd: project.root }).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    )
    expect(wrong).toBe('')
  } finally {
    project.remove()
  }
})

describe('the project of docs/dev.md', () => {
  let project: Project
  let vite: ViteProcess

  beforeAll(async () => {
    const { 'vite.config.ts': _, ...files } = filesOf(dev, ['ts', 'js'])
    project = createProject(files)
    vite = await startVite(project)
  })
  afterAll(async () => {
    await vite?.stop()
    project?.remove()
  })

  test('starts with the table that is printed', () => {
    const table = readBlocks(dev).find(({ text }) => text.startsWith('  flash  target'))!
    expect(vite.output()).toContain(table.text.trim())
  })

  test('answers every curl command as printed below it', async () => {
    const examples = readBlocks(dev)
      .filter(({ language, text }) => language === 'sh' && text.startsWith('curl'))
      .flatMap(readExamples)
    expect(examples.length).toBeGreaterThan(20)
    let id = ''
    for (const { command, status, answer } of examples) {
      const ask = async () => {
        const response = await runCurl(command, vite.url, { ID: id })
        return { status: response.status, text: await response.text() }
      }
      let got = await ask()
      // A status is asked for until it is the printed one.
      for (let tries = 0; tries < 100 && /\/status\//.test(command) && !isLike(got.text, answer); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        got = await ask()
      }
      expect({ command, status: got.status }).toEqual({ command, status })
      expect(isLike(got.text, answer), `${command}\nprinted:  ${answer}\nanswered: ${got.text}`).toBe(true)
      if (got.text.startsWith('{')) id = JSON.parse(got.text).id ?? id
    }
  })

  test('has a curl command for every route', () => {
    const commands = readBlocks(dev)
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text)
      .join('\n')
    for (const [cell] of rowsOf(dev, 'route')) {
      const path = codesIn(cell!)[0]!.split(' ')[1]!
      const pattern = path
        .replace('{function}', String.raw`[\w/]+`)
        .replace('/{id}.{tag}', String.raw`/\w+`)
        .replace('/{id}', String.raw`/\$ID`)
      expect(commands, path).toMatch(new RegExp(`http://localhost:5173${pattern}(?=['?\\s]|$)`, 'm'))
    }
  })

  test('runs its script in both ways', async () => {
    const { VITEST: _, NODE_ENV: __, ...inherited } = process.env
    const how = { cwd: project.root, env: { ...inherited, NO_COLOR: '1' } }
    const commands = readBlocks(dev).find(({ text }) => text.startsWith('npx vite build --ssr'))!.text
    for (const command of [...commands.trim().split('\n'), 'node run.mjs']) {
      const [program, ...words] = command.replace(/^npx vite /, `node ${viteProgram} `).split(' ')
      expect(program).toBe('node')
      const { stdout } = await run(process.execPath, words, how)
      if (!command.startsWith('npx')) expect(stdout).toContain('FROM A SCRIPT!')
    }
  })
})
