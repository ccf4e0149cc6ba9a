import type { ParamFact } from '@flash/protocol'
import type { ParamPattern } from 'oxc-parser'

/**
 * Parameters as the source names them.
 *
 * - a destructured one has no name and is called `arg<position>`, from 0.
 * - TypeScript's `this` parameter is none.
 */
export function readParams(params: ParamPattern[]): ParamFact[] {
  return params.filter((param) => !(param.type === 'Identifier' && param.name === 'this')).map(readParam)
}

function readParam(param: ParamPattern, index: number): ParamFact {
  if (param.type === 'TSParameterProperty') return readParam(param.parameter as ParamPattern, index)
  if (param.type === 'AssignmentPattern')
    return { ...readParam(param.left as ParamPattern, index), optional: true }
  const position = `arg${index}`
  if (param.type === 'RestElement') {
    const name = param.argument.type === 'Identifier' ? param.argument.name : position
    return { name, kind: 'rest', optional: true }
  }
  const optional = Boolean(param.optional)
  if (param.type === 'Identifier') return { name: param.name, kind: 'plain', optional }
  return { name: position, kind: 'pattern', optional }
}
