import { afterEach, describe, expect, test } from 'vitest'
import { createDocumentedProject, type DocumentedProject, findFaults } from './testing.ts'
import type { OpenApiDocument, Operation } from './types.ts'

let made: DocumentedProject | undefined
afterEach(() => made?.[Symbol.dispose]())

const head =
  "import { endpoint, remote } from 'unplugin-flash'\nimport { z } from 'zod'\nimport * as v from 'valibot'\n"

/** The document of a project, which is valid. */
async function documentOf(files: Record<string, string>): Promise<OpenApiDocument> {
  made = await createDocumentedProject(
    Object.fromEntries(Object.entries(files).map(([file, text]) => [file, head + text])),
  )
  const document = await made.document()
  expect(await findFaults(document)).toEqual([])
  return document
}

function operation({ paths }: OpenApiDocument, path: string, method = 'post'): Operation {
  const found = paths[path]?.[method]
  if (!found) throw new Error(`no ${method} ${path}; there is: ${Object.keys(paths).join(' ')}`)
  return found as Operation
}

function inputOf(document: OpenApiDocument, path: string): any {
  const { schema } = operation(document, path).requestBody!.content['application/json']!
  return (schema as any).properties.input
}

function outputOf(document: OpenApiDocument, path: string): any {
  const answer = operation(document, path).responses['200'] as any
  return answer.content['application/json'].schema.allOf[1].properties.output
}

const text = { type: 'string' }
const number = { type: 'number' }
const notTold = { description: 'the source does not tell its type' }

describe('functions', () => {
  test('all addresses, by the names of the parameters, in the shapes of the platform', async () => {
    const document = await documentOf({
      'src/words.ts':
        '/** Makes it loud. */\nexport const shout = remote({ name: "words" }, async (text: string, times = 2): Promise<string> => text)',
    })
    expect(Object.keys(document.paths)).toEqual(
      [
        'run_sync',
        'run',
        'status/{id}',
        'stream/{id}',
        'cancel/{id}',
        'retry/{id}',
        'health',
        'purge-queue',
      ].map((verb) => `/words/shout/${verb}`),
    )
    const run = operation(document, '/words/shout/run_sync')
    expect(run).toMatchObject({
      operationId: 'shout_run_sync',
      tags: ['words'],
      summary: 'Run shout and wait',
    })
    expect(run.description).toMatch(/^Makes it loud\.[^]*Also at `\/words\/run_sync`[^]*src\/words\.ts:5/)
    expect(run.requestBody).toEqual({
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: {
              input: {
                type: 'object',
                properties: { text, times: { ...number, default: 2 } },
                required: ['text'],
              },
            },
            required: ['input'],
          },
        },
      },
    })
    expect(outputOf(document, '/words/shout/run_sync')).toEqual(text)
    expect(run.responses['422']).toEqual({ $ref: '#/components/responses/BadInput' })
    expect(operation(document, '/words/shout/status/{id}', 'get').parameters).toMatchObject([
      { name: 'id', in: 'path' },
    ])
    expect(operation(document, '/words/shout/status/{id}', 'get').description).toContain(
      'Also at `/words/status/{id}`.',
    )
    expect(operation(document, '/words/shout/health', 'get')['x-flash-server-only']).toBe(true)
    expect(operation(document, '/words/shout/run')['x-flash-server-only']).toBeUndefined()
    expect(document).toMatchObject({
      info: { title: 'app', version: '1.2.3' },
      tags: [{ name: 'words', description: 'An endpoint with a queue.' }],
    })
  })

  test('what is about an endpoint is listed once, and functions of one name have identifiers of their own', async () => {
    const document = await documentOf({
      'src/a.ts': 'export const one = remote({ name: "first" }, () => 1)',
      'src/b.ts':
        "const shared = { name: 'both' }\nexport const one = remote(shared, () => 1)\nexport const two = remote(shared, () => 2)",
    })
    expect(Object.keys(document.paths).filter((path) => path.endsWith('/health'))).toEqual([
      '/a/one/health',
      '/b/one/health',
    ])
    expect(operation(document, '/b/one/run').operationId).toBe('one_run_2')
  })

  test('one destructured parameter, several, none, and names nobody knows', async () => {
    const document = await documentOf({
      'src/a.ts': `import { far } from 'far'
export const only = remote({}, ({ prompt, steps = 20 }: { prompt: string; steps?: number }) => prompt)
export const bare = remote({}, ([a]) => a)
export const more = remote({}, ({ a }: { a: string }, b: number, ...rest: string[]) => a)
export const none = remote({}, () => 1)
export const unknown = remote({}, far)
export const state = remote({ setup: () => 1 }, (text: string, state) => text)`,
    })
    expect(inputOf(document, '/a/only/run')).toEqual({
      type: 'object',
      properties: { prompt: text, steps: { ...number, default: 20 } },
      required: ['prompt'],
    })
    expect(inputOf(document, '/a/bare/run')).toEqual({ type: 'object', ...notTold })
    expect(inputOf(document, '/a/more/run')).toMatchObject({
      properties: { arg0: { properties: { a: text } }, b: number, rest: { type: 'array', items: text } },
      required: ['arg0', 'b'],
    })
    expect(inputOf(document, '/a/none/run')).toEqual({ type: 'object', properties: {} })
    expect(inputOf(document, '/a/unknown/run')).toMatchObject({
      properties: { args: { type: 'array' } },
      required: ['args'],
    })
    expect(Object.keys(inputOf(document, '/a/state/run').properties)).toEqual(['text'])
  })

  test('generators give lists, and items to who asks for the stream', async () => {
    const document = await documentOf({
      'src/a.ts':
        'export const count = remote({}, async function* (to: number): AsyncGenerator<number> {})\nexport const also = remote({}, async (): Promise<AsyncIterable<string>> => x)',
    })
    expect(outputOf(document, '/a/count/run_sync')).toEqual({ type: 'array', items: number })
    expect(outputOf(document, '/a/also/run_sync')).toEqual({ type: 'array', items: text })
    const stream = operation(document, '/a/count/stream/{id}', 'get').responses['200'] as any
    expect(stream.content['application/json'].schema.properties.stream.items.properties.output).toEqual(
      number,
    )
  })

  test('a class: what it is made with travels beside the arguments', async () => {
    const document = await documentOf({
      'src/a.ts': `export const Model = remote({}, class { constructor(readonly name: string, size = 1) {}\n  /** Runs. */\n  run(text: string): string { return text } })
export const Easy = remote({}, class { constructor(size = 1) {} run() {} })
export const Plain = remote({}, class { run() {} })
import { Far } from 'far'
export const Lost = remote({}, class extends Far { run() {} })`,
    })
    expect(inputOf(document, '/a/Model/run/run')).toEqual({
      type: 'object',
      properties: {
        text,
        'flash:call': {
          type: 'object',
          properties: {
            v: { const: 1 },
            new: {
              type: 'array',
              prefixItems: [text, { ...number, default: 1 }],
              minItems: 1,
              description: 'what the class is made with',
            },
          },
          required: ['v', 'new'],
        },
      },
      required: ['text', 'flash:call'],
    })
    expect(operation(document, '/a/Model/run/run')).toMatchObject({
      summary: 'Queue Model.run',
      operationId: 'Model_run_run',
      description: expect.stringContaining('Runs.'),
    })
    expect(inputOf(document, '/a/Easy/run/run').required).toBeUndefined()
    expect(inputOf(document, '/a/Plain/run/run').properties).toEqual({})
    expect(inputOf(document, '/a/Lost/run/run').properties['flash:call'].properties.new).toMatchObject({
      minItems: 0,
    })
  })

  test('schemas say more than the source; one that does not tell leaves the source, and a note', async () => {
    const document = await documentOf({
      'src/a.ts': `type Tree = { name: string; below?: Tree[] }
const Node = z.object({ name: z.string(), get below() { return z.array(Node).optional() } })
export const checked = remote({ name: 'checked', input: z.object({ prompt: z.string().max(9), steps: z.int().default(20) }), output: Node }, async ({ prompt, steps }) => ({ name: prompt }))
export const told = remote({ input: v.object({ a: v.string() }) }, async ({ a }: { a: string }): Promise<Tree> => ({ name: a }))
export const again = remote({}, (tree: Tree) => 1)`,
    })
    expect(inputOf(document, '/a/checked/run_sync')).toMatchObject({
      properties: { prompt: { type: 'string', maxLength: 9 }, steps: { type: 'integer', default: 20 } },
      required: ['prompt'],
    })
    expect(JSON.stringify(document)).not.toContain('$schema')
    const { $ref } = outputOf(document, '/a/checked/run_sync').properties.below.items
    expect($ref).toBe('#/components/schemas/checked_output')
    expect(operation(document, '/a/checked/run_sync')['x-flash-note']).toBeUndefined()
    const note = 'input: schemas of valibot do not tell their JSON Schema'
    expect(operation(document, '/a/told/run_sync')).toMatchObject({
      'x-flash-note': note,
      description: expect.stringContaining(`Not fully known: ${note}.`),
    })
    expect(inputOf(document, '/a/told/run_sync').properties).toEqual({ a: text })
    // The same type of two functions is one component.
    expect(outputOf(document, '/a/told/run_sync')).toEqual({ $ref: '#/components/schemas/Tree' })
    expect(inputOf(document, '/a/again/run').properties.tree).toEqual({ $ref: '#/components/schemas/Tree' })
    expect(document.components.schemas.Tree).toMatchObject({
      properties: { below: { items: { $ref: '#/components/schemas/Tree' } } },
    })
  })

  test('types of one name in two modules are two components, and none takes the place of ours', async () => {
    const document = await documentOf({
      'src/a.ts': 'interface Job { a: string }\nexport const a = remote({}, (job: Job) => 1)',
      'src/b.ts': 'interface Job { b: string }\nexport const b = remote({}, (job: Job) => 1)',
    })
    expect(inputOf(document, '/a/a/run').properties.job.$ref).toBe('#/components/schemas/Job2')
    expect(inputOf(document, '/b/b/run').properties.job.$ref).toBe('#/components/schemas/Job3')
    expect(document.components.schemas.Job).toHaveProperty('properties.status')
  })
})

describe('load-balanced routes', () => {
  test('a query that may be one thing or another is told whole', async () => {
    const one = `z.object({ by: z.literal('id'), id: z.string() })`
    const other = `z.object({ by: z.literal('name'), name: z.string() })`
    const document = await documentOf({
      'src/find.ts': `const api = endpoint({ name: 'find' })
api.get('/', () => 1, { query: z.discriminatedUnion('by', [${one}, ${other}]) })`,
    })
    const { parameters } = operation(document, '/find', 'get')
    expect(parameters).toMatchObject([{ in: 'query', style: 'form', explode: true, required: false }])
    expect(JSON.stringify(parameters)).toContain('"const":"name"')
  })

  test('path, query, body, answer and what does not fit', async () => {
    const document = await documentOf({
      'src/images.ts': `const api = endpoint({ name: 'images' })
/** Makes it smaller. */
export const resize = api.post('/resize/:width', ({ body }) => body, {
  params: z.object({ width: z.coerce.number().int() }),
  query: z.object({ page: z.coerce.number().optional(), tag: z.array(z.string()) }),
  body: z.object({ url: z.url() }),
  response: z.object({ ok: z.boolean() }),
})
api.get('/items/:id', async ({ params }): Promise<{ id: string }> => params)
api.delete('/items/:name', async (): Promise<void> => {})
api.put('/upload', async ({ request }): Promise<Response> => new Response(''))
api.post('/form', () => 1, { body: z.object({ picture: z.file(), more: z.array(z.file()) }) })
api.post('/files', () => 1, { body: z.object({ more: z.array(z.file()) }) })
api.get('/live', async function* (): AsyncGenerator<number> {})
api.get('/', () => 1)
api.post('/typed', ({ body }: { body: { a: string }; query: Q }) => 1)
api.get('/typed', (request: Input) => 1)
interface Q { q?: string }
interface Input { query: Q; body: unknown }
api.get('/files/**:path', () => 1)
api.get('/rest/**', () => 1)
api.ws('/chat/:room', { open() {} })
api.ws('/items/:id', { open() {} })`,
    })
    expect(operation(document, '/images/resize/{width}')).toMatchObject({
      operationId: 'api_POST_resize_width',
      tags: ['images'],
      summary: 'POST /resize/:width',
      description: expect.stringMatching(/^Makes it smaller\.\n\nSource: `src\/images\.ts:\d+`\.$/),
      parameters: [
        { name: 'width', in: 'path', required: true, schema: { type: 'integer' } },
        { name: 'page', in: 'query', required: false, schema: number },
        { name: 'tag', in: 'query', required: true, schema: { type: 'array', items: text } },
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { properties: { url: { type: 'string', format: 'uri' } } } },
        },
      },
      responses: {
        200: { content: { 'application/json': { schema: { properties: { ok: { type: 'boolean' } } } } } },
        422: { $ref: '#/components/responses/NotFitting' },
        default: { $ref: '#/components/responses/HandlerFailed' },
      },
    })
    expect(operation(document, '/images/items/{id}', 'get').responses).toMatchObject({
      200: { content: { 'application/json': { schema: { properties: { id: text } } } } },
    })
    // One path in the document, whatever each route calls its parameter.
    expect(operation(document, '/images/items/{id}', 'delete')).toMatchObject({
      parameters: [{ name: 'id' }],
      responses: { 204: { description: 'Nothing.' } },
    })
    expect(document.paths['/images/items/{id}']!.description).toBe('Also WS /images/items/:id')
    const typeOf = (path: string, method = 'get') =>
      Object.keys((operation(document, path, method).responses['200'] as any).content)
    expect(typeOf('/images/upload', 'put')).toEqual(['*/*'])
    expect(operation(document, '/images/upload', 'put').requestBody).toMatchObject({ required: false })
    expect(typeOf('/images/live')).toEqual(['text/event-stream'])
    expect(typeOf('/images')).toEqual(['application/json'])
    expect(operation(document, '/images', 'get').requestBody).toBeUndefined()
    for (const path of ['/images/form', '/images/files'])
      expect(Object.keys(operation(document, path).requestBody!.content)).toEqual(['multipart/form-data'])
    expect(operation(document, '/images/typed').requestBody).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { properties: { a: text } } } },
    })
    expect(operation(document, '/images/typed', 'get').parameters).toEqual([
      { name: 'q', in: 'query', required: false, schema: text },
    ])
    expect(operation(document, '/images/files/{path}', 'get').parameters).toMatchObject([
      { name: 'path', description: expect.stringContaining('rest of the path') },
    ])
    expect(operation(document, '/images/rest/{rest}', 'get').parameters).toMatchObject([{ name: 'rest' }])
    expect(operation(document, '/images/chat/{room}', 'get')).toMatchObject({
      'x-flash-websocket': true,
      responses: { 101: {} },
      parameters: [{ name: 'room' }],
    })
    expect(document.tags).toEqual([{ name: 'images', description: 'A load-balanced endpoint.' }])
  })

  test('a body is required where the server refuses requests without one', async () => {
    const document = await documentOf({
      'src/a.ts': `const api = endpoint({ name: 'api' })
const item = z.object({ name: z.string() })
api.post('/needed', () => 1, { body: item })
api.post('/optional', () => 1, { body: item.optional() })
api.post('/default', () => 1, { body: item.default({ name: 'none' }) })
api.post('/later', () => 1, { body: item.optional().refine(async () => true) })
api.post('/never', () => 1, { body: item.optional().refine(() => new Promise(() => {})) })
api.post('/throws', () => 1, { body: item.optional().refine(() => { throw new Error('not today') }) })
api.post('/untold', ({ body }: { body?: { a: string } }) => 1, { body: v.optional(v.object({ a: v.string() })) })
api.post('/untold-needed', ({ body }: { body: { a: string } }) => 1, { body: v.object({ a: v.string() }) })
api.post('/unknown', () => 1, { body: v.object({ a: v.string() }) })
api.post('/unknown-optional', () => 1, { body: v.optional(v.object({ a: v.string() })) })
api.delete('/removed', () => 1, { body: v.string() })
api.post('/typed', ({ body }: { body?: { a: string } }) => 1)
api.post('/typed-too', ({ body }: { body: { a: string } | undefined }) => 1)
api.post('/typed-needed', ({ body }: { body: { a: string } }) => 1)`,
    })
    const bodies = Object.entries(document.paths).map(([path, { post, delete: remove }]) => [
      path,
      ((post ?? remove) as Operation).requestBody!.required,
    ])
    expect(Object.fromEntries(bodies)).toEqual({
      '/a/removed': true,
      '/a/needed': true,
      '/a/optional': false,
      '/a/default': false,
      '/a/later': false,
      '/a/never': true,
      '/a/throws': true,
      '/a/untold': false,
      '/a/untold-needed': true,
      '/a/unknown': true,
      '/a/unknown-optional': false,
      '/a/typed': false,
      '/a/typed-too': false,
      '/a/typed-needed': true,
    })
  })

  test('a body has all content types that its schema can be sent with', async () => {
    const document = await documentOf({
      'src/a.ts': `const api = endpoint({ name: 'api' })
api.post('/flat', () => 1, { body: z.object({ name: z.string(), n: z.number().optional(), tags: z.array(z.enum(['a', 'b'])), one: z.literal(1) }) })
api.post('/deep', () => 1, { body: z.object({ at: z.object({ x: z.number() }) }) })
api.post('/text', () => 1, { body: z.string() })
api.post('/list', () => 1, { body: z.array(z.string()) })
api.post('/files', () => 1, { body: z.object({
  one: z.file(), image: z.file().mime('image/png'), some: z.file().mime(['image/png', 'image/gif']),
  many: z.array(z.file()), maybe: z.file().nullable(), text: z.string(),
}) })
api.post('/either', () => 1, { body: z.union([z.object({ file: z.file().nullable() }), z.object({ url: z.url() })]) })`,
    })
    const contentOf = (path: string) => operation(document, `/a/${path}`).requestBody!.content
    const typesOf = (path: string) => Object.keys(contentOf(path))
    const form = 'application/x-www-form-urlencoded'
    expect(typesOf('flat')).toEqual(['application/json', form])
    expect(typesOf('deep')).toEqual(['application/json'])
    expect(typesOf('text')).toEqual(['application/json', 'text/plain'])
    expect(typesOf('list')).toEqual(['application/json'])
    for (const path of ['files', 'either']) expect(typesOf(path)).toEqual(['multipart/form-data'])
    // As the standard has files in forms: their type, and no encoding.
    const file = { type: 'string', format: 'binary', contentMediaType: 'application/octet-stream' }
    const { some, ...others } = (contentOf('files')['multipart/form-data']!.schema as any).properties
    expect(others).toEqual({
      one: file,
      image: { ...file, contentMediaType: 'image/png' },
      many: { type: 'array', items: file },
      maybe: { anyOf: [file, { type: 'null' }] },
      text,
    })
    expect(some.anyOf).toEqual([{ contentMediaType: 'image/png' }, { contentMediaType: 'image/gif' }])
    expect(JSON.stringify(document)).not.toContain('contentEncoding')
  })

  test('a query: defaults, lists and what may be left out', async () => {
    const document = await documentOf({
      'src/a.ts': `const api = endpoint({ name: 'api' })
api.get('/items', () => 1, { query: z.object({
  page: z.int().default(1), tag: z.array(z.string()).optional(), draft: z.stringbool().optional(), sort: z.enum(['up', 'down']),
}) })`,
    })
    const { parameters } = operation(document, '/a/items', 'get')
    expect(parameters!.map(({ name, required, schema }) => [name, required, schema])).toEqual([
      ['page', false, expect.objectContaining({ type: 'integer', default: 1 })],
      ['tag', false, { type: 'array', items: text }],
      ['draft', false, text],
      ['sort', true, { ...text, enum: ['up', 'down'] }],
    ])
  })

  test('what a handler returns, as far as anybody can know', async () => {
    const document = await documentOf({
      'src/a.ts': `const api = endpoint({ name: 'api' })
type Item = { id: string }
api.get('/untold', () => 1)
api.get('/maybe', async (): Promise<Item | undefined> => undefined)
api.get('/own', async (): Promise<Item | Response> => new Response())
api.get('/either', async (): Promise<Item | Response | undefined> => new Response())
api.get('/bytes', (): Uint8Array => new Uint8Array())
api.get('/stream', (): ReadableStream => new ReadableStream())
api.get('/blob', (): Blob | Response => new Blob())
api.get('/named', (): Item | undefined => undefined, { response: z.object({ id: z.string() }).optional() })
api.get('/items', async function* (): AsyncGenerator<Item> {}, { response: z.object({ id: z.string() }) })
api.head('/head', () => 1)
api.get('/checked', (): Item => ({ id: '1' }), { response: z.object({ id: z.string() }) })`,
    })
    const answersOf = (path: string, method = 'get') => {
      const { '200': ok, ...others } = operation(document, `/a/${path}`, method).responses as any
      return [ok && Object.keys(ok.content ?? {}), Object.keys(others)]
    }
    const schemaOf = (path: string, type = 'application/json') =>
      (operation(document, `/a/${path}`, 'get').responses['200'] as any).content[type].schema
    const aboutOf = (path: string) =>
      (operation(document, `/a/${path}`, 'get').responses['200'] as any).description
    const json = ['application/json']
    expect(answersOf('untold')).toEqual([json, ['default']])
    expect(aboutOf('untold')).toContain('does not tell')
    expect(answersOf('maybe')).toEqual([json, ['204', 'default']])
    const item = { $ref: '#/components/schemas/Item' }
    expect([schemaOf('maybe'), schemaOf('own'), schemaOf('either')]).toEqual([item, item, item])
    expect(aboutOf('own')).toContain('status and type of its own')
    expect(answersOf('either')).toEqual([json, ['204', 'default']])
    for (const path of ['bytes', 'stream', 'blob']) expect(answersOf(path)).toEqual([['*/*'], ['default']])
    expect(schemaOf('bytes', '*/*')).toEqual({})
    expect(answersOf('named')).toEqual([json, ['204', 'default']])
    expect(answersOf('items')).toEqual([['text/event-stream'], ['default']])
    expect(answersOf('head', 'head')).toEqual([[], ['default']])
    // What a handler returns is no fault of the request.
    expect(answersOf('checked')).toEqual([json, ['default']])
  })

  test('schemas that do not tell leave a note', async () => {
    const document = await documentOf({
      'src/a.ts': `const api = endpoint({ name: 'api' })
api.post('/a/:b', () => 1, { params: v.object({ b: v.string() }), query: v.object({}), body: v.object({}), response: v.number() })
api.get('/socket-less', () => 1, { query: v.object({}) })`,
    })
    const told = operation(document, '/a/a/{b}')
    expect(told['x-flash-note']).toMatch(/^params: schemas of valibot do not tell their JSON Schema; query: /)
    expect(told.parameters).toEqual([{ name: 'b', in: 'path', required: true, schema: text }])
  })

  test('a web app is one place for everything below it', async () => {
    const document = await documentOf({
      'src/site.ts': "import app from './app'\nexport const site = endpoint({ name: 'site' }, app)",
      'src/app.ts': 'export default { fetch: () => new Response() }',
      'src/site/ask.ts': 'export const ask = remote({}, () => 1)',
    })
    expect(document.paths['/site/{path}']).toMatchObject({
      'x-flash-web': true,
      get: { operationId: 'site_ANY', parameters: [{ name: 'path', in: 'path' }] },
    })
    expect(operation(document, '/site/{path}', 'get').description).toContain('`POST site/ask/ask/run_sync`')
  })
})

test('a project with nothing in it has a document as well', async () => {
  expect((await documentOf({ 'src/a.ts': '' })).paths).toEqual({})
})
