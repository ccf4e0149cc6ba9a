import type { FunctionFact } from '@flash/protocol'
import { serverClass, serverStub } from '@flash/runtime'
import { createDefinition, type Functions } from '../../execute/definition.ts'
import { answer } from './answer.ts'
import { createFunctions, type LocalFunctions } from './functions.ts'
import { createJobs } from './jobs.ts'

/** Where stubs of this process look for a dev server first; by project root. */
const devKey = Symbol.for('unplugin-flash.dev')

interface DevRuntime {
  has(id: string): boolean
  fetch(request: Request): Promise<Response>
}

let functionsHere: LocalFunctions | undefined

/** Makes this process answer the calls of its own stubs: the whole way of a call, without a server or a port. */
function open(): LocalFunctions {
  const functions = createFunctions()
  const jobs = createJobs(functions)
  const shared = globalThis as { [devKey]?: Map<string, DevRuntime> }
  shared[devKey] ??= new Map()
  shared[devKey].set(`test-process:${crypto.randomUUID()}`, {
    has: (id) => functions.get(id) !== undefined,
    fetch: (request) => answer(request, functions, jobs),
  })
  return functions
}

/**
 * What replaces `remote` under Vitest: the function stays in this process, and what calls it is the stub that code
 * has everywhere else, so arguments, results and errors take the same way through the codec.
 */
export function local(
  functions: Functions,
  id: string,
  config: unknown,
  body: unknown,
  fact: FunctionFact,
): unknown {
  const definition = createDefinition(config, body)
  functions[id] = definition
  functionsHere ??= open()
  functionsHere.add(definition, fact)
  const info = { name: fact.endpoint, at: `${fact.path}:${fact.at.line}` }
  if (fact.kind === 'class') return serverClass(id, methodList(fact), info)
  return serverStub(id, fact.kind === 'generator' ? 1 : 0, info)
}

function methodList({ callables }: FunctionFact): string {
  return callables.map(({ name, kind }) => (kind === 'generator' ? `*${name}` : name)).join(',')
}
