import { AppError, parseRequestPath, parseRoutePath, type RouteFact } from '@flash/protocol'
import type { Expression, Node } from 'oxc-parser'
import { nodeOf } from '../class.ts'
import type { Detection } from '../detect.ts'
import { followPath } from '../follow.ts'
import { peel } from '../parse.ts'
import { memberPath, propertyName } from '../references.ts'
import { addProblem, type Refusal } from '../refuse.ts'

/** The path of a route, written out or the value of a constant; `null` when it was refused. */
export async function readRoutePath(detection: Detection, argument: Expression): Promise<string | null> {
  const { findings, source } = detection
  const path = await readText(detection, argument)
  if (path === null) {
    addProblem(findings, source, argument, notText(peel(argument)))
    return null
  }
  try {
    parseRoutePath(path)
    parseRequestPath(path)
    return path
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { code, message } = error
    const hint = code === 'BAD_PATH' ? 'write the path without it' : (error.hint ?? 'write another path')
    addProblem(findings, source, argument, { code, message, hint })
    return null
  }
}

function notText({ type }: Node): Refusal {
  const isPlain = !/^(?:Literal|\w*Function\w*|ObjectExpression|ClassExpression)$/.test(type)
  return {
    code: 'BAD_ROUTE',
    message: isPlain
      ? 'the path of the route cannot be told by reading the module'
      : 'the first argument of the route is its path, a text',
    hint: "write it in one piece, '/items/:id', or name a constant that is written so",
  }
}

async function readText({ source, host, files }: Detection, argument: Expression): Promise<string | null> {
  const node = peel(argument)
  const own = textOf(node)
  const names = own === null ? memberPath(node) : null
  if (!names) return own
  const target = await followPath(source.parsed, names, { host, files, visited: new Set() })
  const named = target && nodeOf(target)
  return named ? textOf(named as Expression) : null
}

function textOf(node: Expression): string | null {
  const isText =
    node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string')
  return isText ? propertyName(node, true) : null
}

/** Equal for routes that answer the same requests, whatever they call their parameters. */
export function routeShape({ method, path }: RouteFact): string {
  const segments = parseRoutePath(path).map((segment) => {
    if (segment.kind === 'text') return segment.text
    return segment.kind === 'param' ? ':' : '**'
  })
  return `${method} /${segments.join('/')}`
}
