/** JSON Schema, draft 2020-12. */
export interface JsonSchema {
  [keyword: string]: unknown
}

export interface ParamSignature {
  /** As in the function's facts: a destructured one is `arg<position>`. */
  name: string
  schema: JsonSchema
  required: boolean
}

/** One function, method or route handler, as its text tells it. */
export interface CallableSignature {
  name: string
  /** The text of the comment above it, without tags. */
  description: string | null
  params: ParamSignature[]
  /** One value: what is awaited of a promise, and one item of a generator. */
  result: JsonSchema
  /** `items`: it gives one after the other; `raw`: a `Response`, a stream or bytes. */
  answers: 'value' | 'items' | 'raw'
  /** What it may give instead: nothing at all, or as `raw`. */
  instead?: ('nothing' | 'raw')[]
}

/** References in all schemas are to `definitions`: `#/$defs/<name>`. */
export interface Signature {
  /** One for a function or a handler, one per method of a class, none for a web app. */
  callables: CallableSignature[]
  /** Of a class; `null` when nothing tells. */
  constructorParams: ParamSignature[] | null
  definitions: Record<string, JsonSchema>
}
