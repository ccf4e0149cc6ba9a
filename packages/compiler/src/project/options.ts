import type { KnownOptions } from '../fold/known.ts'
import type { CompilerHost } from '../types.ts'

export interface ProjectOptions extends KnownOptions {
  root: string
  /** `locate` goes by `package.json` files when omitted. */
  host: Pick<CompilerHost, 'resolve' | 'load'> & Partial<Pick<CompilerHost, 'locate'>>
  /** What the scan leaves out besides ignored files, in their syntax, from the root; `['/dist/']` when omitted. */
  ignore?: string[]
  /** Whether the app has a server of its own, which routes with `local: true` need; true when omitted. */
  hasServer?: boolean
  /** How long executing a config may take: 10 s. */
  limitMs?: number
}
