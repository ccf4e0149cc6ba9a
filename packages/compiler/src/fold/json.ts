import { AppError } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import { codeFrame } from '../frame.ts'
import { frameAt } from '../frame-at.ts'
import { type ParsedModule, parseModule } from '../parse.ts'
import type { Place } from './values.ts'

const PREFIX = 'export default\n'

/** A JSON file as the module that a bundler makes of it; positions and frames are those of the file. */
function parseJson(code: string, file: string, shown: string): ParsedModule {
  const parsed = parsePrefixed(code, file, shown)
  const own = (offset: number) => Math.max(0, offset - PREFIX.length)
  return {
    ...parsed,
    position(offset, shown) {
      const place = parsed.position(Math.max(offset, PREFIX.length), shown)
      return { ...place, line: place.line - 1 }
    },
    frame: (offset, end = offset + 1) => codeFrame(code, own(offset), own(end)),
  }
}

function parsePrefixed(code: string, file: string, shown: string): ParsedModule {
  try {
    return parseModule(PREFIX + code, file, shown)
  } catch (error) {
    const { at, message } = error as AppError
    const line = Math.max(1, at!.line - 1)
    throw new AppError('SYNTAX_ERROR', {
      message: `${message} in JSON`,
      hint: 'correct the file',
      at: { ...at!, line },
      frame: frameAt(code, line, at!.column),
    })
  }
}

/** What `import name from './x.json'` gives; `null` when the file has no such key. */
export function findInJson(code: string, file: string, shown: string, name: string): Place | null {
  const module = parseJson(code, file, shown)
  const found = module.exports.get('default')
  const whole = (found as { expression: Node }).expression
  if (name === 'default' || name === '*') return { module, node: whole }
  if (whole.type !== 'ObjectExpression') return null
  for (const property of whole.properties) {
    const isWanted = property.type === 'Property' && (property.key as { value?: unknown }).value === name
    if (isWanted) return { module, node: property.value }
  }
  return null
}
