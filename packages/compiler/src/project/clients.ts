import { AppError } from '@flash/protocol'
import type { ConfigReader } from '../config.ts'
import type { Folder } from '../fold/step.ts'
import { type Place, toPlain } from '../fold/values.ts'
import { fold } from '../fold.ts'
import type { FoundClient, ModuleAnalysis } from '../types.ts'

/** An endpoint of somebody else that a module has a client of. */
export interface ClientEdge {
  /** `id abc123`, `app shop/default/ocr`, `image acme/ocr:1 ocr`. */
  label: string
  /** What code that has the client says. */
  texts: string[]
}

/** The clients of a module whose configs say without being run which endpoint is meant. */
export async function readClientEdges(reader: ConfigReader, analysis: ModuleAnalysis): Promise<ClientEdge[]> {
  const edges = await Promise.all(analysis.clients.map((client) => readEdge(reader, analysis, client)))
  return edges.filter((edge) => edge !== null)
}

async function readEdge(
  { host, known }: ConfigReader,
  { parsed }: ModuleAnalysis,
  { config }: FoundClient,
): Promise<ClientEdge | null> {
  const folder: Folder = { host, known, files: new Set() }
  const place: Place = { module: parsed, node: config }
  try {
    const { data } = await toPlain(await fold(folder, place), place, codeKeys)
    return toEdge((data ?? {}) as Record<string, unknown>)
  } catch (error) {
    // A file that cannot be read is told by whoever needs it.
    if (error instanceof AppError) return null
    throw error
  }
}

const codeKeys: ReadonlySet<string> = new Set(['output'])

function toEdge({
  id,
  app,
  name,
  environment = 'default',
  image,
}: Record<string, unknown>): ClientEdge | null {
  if (isText(id)) return { label: `id ${id}`, texts: [id] }
  if (!isText(name)) return null
  if (isText(app) && isText(environment))
    return { label: `app ${app}/${environment}/${name}`, texts: [app, name] }
  return isText(image) ? { label: `image ${image} ${name}`, texts: [image, name] } : null
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
