import { AppError } from '@flash/protocol'
import type { H3 } from 'h3'
import { pageFiles, readPageFile } from './files.ts'
import { initScript, pageHeaders, toPage } from './page.ts'
import type { OpenApiDocument } from './types.ts'

export interface DocsHost {
  prefix: string
  document(): Promise<OpenApiDocument>
}

/** `/openapi.json`, and `/docs` with what its page loads. */
export function addDocsRoutes(app: H3, { prefix, document }: DocsHost): void {
  app.get('/openapi.json', async ({ url }) => {
    const servers = [{ url: url.origin + prefix }]
    return { ...(await document()), servers }
  })
  app.get('/docs', () => new Response(toPage(prefix), { headers: pageHeaders }))
  app.get('/docs/init.js', () => script(initScript, 'text/javascript; charset=utf-8'))
  app.get('/docs/:file', async ({ context }) => {
    const name = context.params!.file!
    const type = pageFiles.get(name)
    if (type) return script(await readPageFile(name), type)
    throw new AppError('NOT_FOUND', { message: `the page has no file "${name}"`, hint: 'open /docs' })
  })
}

function script(body: BodyInit, type: string): Response {
  return new Response(body, { headers: { 'content-type': type, 'x-content-type-options': 'nosniff' } })
}
