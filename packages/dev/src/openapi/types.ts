import type { JsonSchema } from '@flash/compiler'

/** What OpenAPI 3.1 calls a Reference Object. */
interface Reference {
  $ref: string
}

export interface Parameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  style?: 'form'
  explode?: boolean
  schema: JsonSchema
  description?: string
}

export interface RequestBody {
  required: boolean
  content: Record<string, { schema: JsonSchema }>
}

export interface Answer {
  description: string
  content?: Record<string, { schema: JsonSchema }>
}

export interface Operation {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  parameters?: Parameter[]
  requestBody?: RequestBody
  responses: Record<string, Answer | Reference>
  /** What the document cannot know, and why. */
  'x-flash-note'?: string
  /** Pages may not ask for it, the one with the documentation included. */
  'x-flash-server-only'?: true
  'x-flash-websocket'?: true
}

export interface PathItem {
  description?: string
  /** A whole web app answers here: any method, any path. */
  'x-flash-web'?: true
  [method: string]: unknown
}

/** OpenAPI 3.1, as far as it is used here. */
export interface OpenApiDocument {
  openapi: '3.1.1'
  info: { title: string; version: string; description: string }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, PathItem>
  components: { schemas: Record<string, JsonSchema>; responses: Record<string, Answer> }
}
