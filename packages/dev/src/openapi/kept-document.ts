import { createDocument, type DocumentSources } from './document.ts'
import type { OpenApiDocument } from './types.ts'

/** The document of the table as it is now: the same one until the table is another. */
export function createKeptDocument(
  read: () => DocumentSources | Promise<DocumentSources>,
): () => Promise<OpenApiDocument> {
  let kept: { table: DocumentSources['table']; document: Promise<OpenApiDocument> } | null = null
  return async () => {
    const sources = await read()
    if (kept?.table === sources.table) return kept.document
    const document = createDocument(sources)
    kept = { table: sources.table, document }
    document.catch(() => (kept = null))
    return document
  }
}
