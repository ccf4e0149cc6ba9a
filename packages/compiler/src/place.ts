import type { Node, VariableDeclaration } from 'oxc-parser'
import { isWrapper } from './parse.ts'
import { propertyName } from './references.ts'
import type { Refusal } from './refuse.ts'

/** The names that lead to a call's result: `['models', 'small']`. */
export type Place = { path: string[] } | { refusal: Refusal }

/** What errors call a call, what it makes, and how it is kept. */
export interface Made {
  /** `remote()` */
  call: string
  /** `remote function` */
  what: string
  /** `read = remote(…)` */
  example: string
  /** What to do with one that is not at the top level. */
  instead: string
}

export const madeByRemote: Made = {
  call: 'remote()',
  what: 'remote function',
  example: 'read = remote(…)',
  instead: 'move it to the top level of the module, and pass what it needs from here as an argument',
}

/**
 * Where the result of a module-level call goes.
 *
 * - `ancestors`: from the program down to the call's parent.
 */
export function readPlace(ancestors: Node[], call: Node, made: Made): Place {
  const path: string[] = []
  let child = call
  for (let index = ancestors.length - 1; index >= 0; index--) {
    const parent = ancestors[index]!
    if (isWrapper(parent) || parent.type === 'ChainExpression') {
      child = parent
    } else if (parent.type === 'Property' && ancestors[index - 1]?.type === 'ObjectExpression') {
      const name = parent.value === child && keyOf(parent)
      if (!name) return { refusal: noStaticKey(made) }
      path.unshift(name)
      child = ancestors[--index]!
    } else {
      return readHolder(ancestors, index, { child, path, made })
    }
  }
  return { refusal: elsewhere(ancestors, made) }
}

/** `__proto__: x` sets the prototype instead of a property. */
function keyOf(property: Extract<Node, { type: 'Property' }>): string | null {
  const name = propertyName(property.key, property.computed)
  return name === '__proto__' && !property.computed ? null : name
}

function noStaticKey({ what, example }: Made): Refusal {
  return {
    code: 'REMOTE_NO_NAME',
    message: `the property that holds this ${what} has no name that reading the module could tell`,
    hint: `write its name literally, as in \`{ ${example.replace(/^\w+ = /, 'small: ')} }\``,
  }
}

interface Held {
  child: Node
  path: string[]
  made: Made
}

function readHolder(ancestors: Node[], index: number, { child, path, made }: Held): Place {
  const holder = ancestors[index]!
  const outer = enclosing(ancestors)
  if (outer) return { refusal: notModuleLevel(outer, made) }
  if (holder.type === 'ExportDefaultDeclaration' && path.length === 0) return { path: ['default'] }
  if (holder.type !== 'VariableDeclarator' || holder.init !== child)
    return { refusal: elsewhere(ancestors, made) }
  const { kind } = ancestors[index - 1] as VariableDeclaration
  if (kind !== 'const') return { refusal: notConst(kind, made) }
  if (holder.id.type !== 'Identifier') return { refusal: destructured(made) }
  return { path: [holder.id.name, ...path] }
}

function notConst(kind: string, { what }: Made): Refusal {
  return {
    code: 'REMOTE_NOT_CONST',
    message: `a ${what} is kept in a \`const\`, and this one is declared with \`${kind}\``,
    hint: `write \`const\` instead of \`${kind}\``,
  }
}

function destructured({ call, example }: Made): Refusal {
  return {
    code: 'REMOTE_NO_NAME',
    message: `the result of \`${call}\` is taken apart where it is declared`,
    hint: `give the result one name: \`const ${example}\``,
  }
}

/** What stands around a call and is not the module itself: the innermost thing that has a word of its own. */
function enclosing(ancestors: Node[]): string | null {
  const index = ancestors.findLastIndex(({ type }) => type in surroundings)
  if (index < 0) return ancestors.some(({ type }) => type === 'BlockStatement') ? 'a block' : null
  const node = ancestors[index]!
  const what = surroundings[node.type]!
  const name = namedKinds.has(what) ? nameOf(node, ancestors[index - 1]!) : null
  return name === null ? `${what === 'enum' ? 'an' : 'a'} ${what}` : `the ${what} \`${name}\``
}

const surroundings: Partial<Record<Node['type'], string>> = {
  ArrowFunctionExpression: 'function',
  FunctionExpression: 'function',
  FunctionDeclaration: 'function',
  ClassDeclaration: 'class',
  ClassExpression: 'class',
  ForStatement: 'loop',
  ForInStatement: 'loop',
  ForOfStatement: 'loop',
  WhileStatement: 'loop',
  DoWhileStatement: 'loop',
  IfStatement: 'condition',
  ConditionalExpression: 'condition',
  LogicalExpression: 'condition',
  SwitchStatement: 'condition',
  TryStatement: '`try` statement',
  TemplateLiteral: 'template string',
  TSEnumDeclaration: 'enum',
  TSModuleDeclaration: 'namespace',
}

const namedKinds = new Set(['function', 'class', 'enum', 'namespace'])

function nameOf(node: Node, parent: Node): string | null {
  if ('id' in node && node.id?.type === 'Identifier') return node.id.name
  if (parent.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return parent.id.name
  const isMember = parent.type === 'MethodDefinition' || parent.type === 'Property'
  return isMember ? propertyName(parent.key, parent.computed) : null
}

function notModuleLevel(outer: string, { call, what, instead }: Made): Refusal {
  return {
    code: 'REMOTE_NOT_MODULE_LEVEL',
    message: `\`${call}\` is called inside ${outer}; each ${what} exists once, for the whole program`,
    hint: instead,
  }
}

const nowhere: Partial<Record<Node['type'], string>> = {
  ArrayExpression: 'is an element of an array',
  AwaitExpression: 'is awaited where it is made',
  CallExpression: 'is an argument of another call, or is called where it is made',
  ExportDefaultDeclaration: 'is in an object that has no name',
  ExpressionStatement: 'is dropped',
  MemberExpression: 'is used where it is made',
  NewExpression: 'is an argument of another call, or is constructed where it is made',
  SequenceExpression: 'is part of a sequence of expressions',
  SpreadElement: 'is spread into something else',
}

/** At module level, and not in a place that gives it a name. */
function elsewhere(ancestors: Node[], { call, what, example }: Made): Refusal {
  const parent = ancestors.findLast(
    (node) => !isWrapper(node) && !/^(?:Chain|Object)Expression$|^Property$/.test(node.type),
  )
  if (parent?.type === 'AssignmentExpression') {
    return {
      code: 'REMOTE_NOT_CONST',
      message: `a ${what} is kept in a \`const\`, and this one is assigned`,
      hint: `declare it with its value: \`const ${example}\``,
    }
  }
  return {
    code: 'REMOTE_NO_NAME',
    message: `the result of \`${call}\` ${(parent && nowhere[parent.type]) ?? 'is not kept under a name'}`,
    hint: `give it a name first, \`const ${example}\` at the top level, and use the name here`,
  }
}
