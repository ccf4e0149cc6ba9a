import type {
  AppError,
  CallableFact,
  FunctionFact,
  ParamFact,
  RouteFact,
  SourcePosition,
} from '@flash/protocol'
import type { CallExpression, Expression } from 'oxc-parser'
import type { ParsedModule } from './parse.ts'

/** Everything outside the text of one module; the only way the compiler reaches files. */
export interface CompilerHost {
  /** Absolute file without query, or `null` when the specifier is external or not found. */
  resolve(specifier: string, importer: string): Promise<string | null>
  load(file: string): Promise<string | null>
  locate(file: string): { package: string; path: string; prefix: string; rootPath: string }
}

/** What the worker of a build has to know to call functions of other endpoints. */
export interface Calling {
  /** The project's name on the account. */
  app: string
  /** Name of the variable with the key for that. */
  key?: string
  /** How calls are made. */
  settings?: object
}

/** Names of exports. */
export type Demanded = ReadonlySet<string>

export type Role =
  | { kind: 'client'; tag(id: string): string }
  /** `root`: of the dev server that answers; absolute, so never in a build. */
  | { kind: 'server'; root?: string }
  /**
   * `demanded`: exports that other modules of the same worker import; `*` is all of them.
   * `lean`: functions that no code of the worker calls are only made known, so that what calling takes can be left out.
   * `calling`: what stubs have to know where no dev server answers.
   */
  | {
      kind: 'worker'
      keeps(fact: FunctionFact): boolean
      demanded?: Demanded
      lean?: boolean
      calling?: Calling
    }
  | { kind: 'index' }
  | { kind: 'local' }
  /** `start` and `end` delimit the setup expression in the module that is rewritten. */
  | { kind: 'setup'; start: number; end: number }

/** One call of `endpoint(config)` that routes are made with. */
export interface FoundApi {
  /** Like that of a function, from the name. */
  id: string
  /** The constant that holds it. */
  name: string
  /** The whole call expression. */
  call: CallExpression
  /** Its argument, parentheses and type wrappers peeled off. */
  config: Expression
}

/** One `remote()` call, one route, or one web app, as the text of its own module tells it; config comes later. */
export interface FoundFunction {
  id: string
  exportPath: string
  name?: string
  exported: boolean
  kind: FunctionFact['kind']
  callables: CallableFact[]
  constructorParams: ParamFact[] | null
  at: SourcePosition
  /** The whole call expression; of a route `api.get(…)`. */
  call: CallExpression
  /** First argument, parentheses and type wrappers peeled off; of a route that of `endpoint()`. */
  config: Expression
  /** Second argument, peeled likewise, out of `unchecked()` too. */
  body: Expression
  /** Of a route, as the next one is. */
  route?: RouteFact
  api?: FoundApi
}

/** One call of `endpoint()` that makes a client; pages get none. */
export interface FoundClient {
  /** The whole call expression. */
  call: CallExpression
  /** Its argument, parentheses and type wrappers peeled off. */
  config: Expression
}

/** What one module tells about itself, for every role. */
export interface ModuleAnalysis {
  parsed: ParsedModule
  /** In source order. */
  functions: FoundFunction[]
  /** In source order. */
  clients: FoundClient[]
  /** In source order, each with a route or more. */
  apis: FoundApi[]
  /** One per function once configs are read; `analyzeModule` alone leaves it empty. Roles `server`, `worker` and `local` need it. */
  facts: FunctionFact[]
  /** Things that work and are likely to surprise. */
  warnings: AppError[]
  /** Absolute files other than this one whose text the result depends on. */
  dependencies: string[]
}
