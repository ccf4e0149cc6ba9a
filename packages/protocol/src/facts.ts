/** A place in the user's source: `file` is relative to the project root with `/`, lines and columns count from 1. */
export interface SourcePosition {
  file: string
  line: number
  column: number
}

export interface ParamFact {
  name: string
  kind: 'plain' | 'rest' | 'pattern'
  optional: boolean
}

/** One thing a caller can name: the function itself, or one public method of a class. */
export interface CallableFact {
  name: string
  kind: 'function' | 'generator'
  /** `null` when the names cannot be known from the source. */
  params: ParamFact[] | null
}

/** What a route of a load-balanced endpoint answers; `WS` is a WebSocket. */
export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS' | 'WS'

/** One route, as `api.post('/items/:id', handler, { … })` says it. */
export interface RouteFact {
  method: RouteMethod
  /** As it is written; see `parseRoutePath`. */
  path: string
  /** Which of its parts have a schema. */
  schemas: ('params' | 'query' | 'body' | 'response')[]
  /** The app's own server answers it, and no worker has it. */
  local?: true
}

/** What reading the source tells about one `remote()` call, one route, or one web app. */
export interface FunctionFact {
  /** 16 characters: base32 of sha256 over package, path and export path. Never contains the name. */
  id: string
  package: string
  /** From the package root, with `/`. */
  path: string
  /** Absolute, on this machine; never leaves it. */
  file: string
  /** `{file_prefix}` of the routes. */
  prefix: string
  /** `read`, `default`, `models.small`; of a route its endpoint's with method and path, `api.POST /items/:id`. */
  exportPath: string
  /** Of a route the name its callable has, `models.small`; a statement without one has none. */
  name?: string
  exported: boolean
  /** The last two are of load-balanced endpoints. */
  kind: 'function' | 'generator' | 'class' | 'route' | 'web'
  /** Of kind `route`, and only there. */
  route?: RouteFact
  /** One for a function; one per public method for a class; none for routes and web apps. */
  callables: CallableFact[]
  constructorParams: ParamFact[] | null
  /** Functions with the same key share one state; `null` without `setup`. */
  setup: string | null
  hasInput: boolean
  hasOutput: boolean
  endpoint: string
  at: SourcePosition
}

/** Whether it is answered by a load-balanced endpoint instead of a queue. */
export function isBalanced({ kind }: Pick<FunctionFact, 'kind'>): boolean {
  return kind === 'route' || kind === 'web'
}

/** Whether the app's own server runs it instead of a worker. */
export function runsInServer({ route }: Pick<FunctionFact, 'route'>): boolean {
  return route?.local === true
}
