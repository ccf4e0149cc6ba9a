import { AppError, errorCodes, type SourcePosition } from '@flash/protocol'

const SAVE = 'correct the file and save it; the next call picks it up'

/** Why a module of the dev server could not be loaded. What the server has told already is passed on as it is. */
export function toServedError(error: unknown, module: string, root: string): unknown {
  const { code } = toFields(error)
  return code !== undefined && Object.hasOwn(errorCodes, code)
    ? error
    : toLoadError(error, module, root, SAVE)
}

/** Why a module could not be loaded, in our terms. */
export function toLoadError(error: unknown, module: string, root: string, hint: string): AppError {
  const { code, message, stack = '' } = toFields(error)
  const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' ? packageOf(message) : null
  if (missing !== null) {
    return new AppError('DEPENDENCY_NOT_INSTALLED', {
      message: `the package "${missing}" is not installed: ${message.split('\n', 1)[0]}`,
      hint: `run: npm install ${missing}`,
      cause: error,
    })
  }
  const at = findPosition(stack, root)
  const name = module.replace(/\?.*$/, '').replace(/^\//, '')
  return new AppError('MODULE_FAILED', {
    message: `${name} could not be loaded: ${message}`,
    hint,
    at,
    data: at && { at },
    cause: error,
  })
}

function toFields(error: unknown): Pick<NodeJS.ErrnoException, 'code' | 'message' | 'stack'> {
  return error instanceof Error ? error : { message: String(error) }
}

/** Of "Cannot find package 'x'" and "Cannot find module 'x/y'"; `null` for a file. */
function packageOf(message: string): string | null {
  const specifier = /Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1]
  if (!specifier || !/^@?[\w]/.test(specifier)) return null
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** The first place in the project's own files. */
function findPosition(stack: string, root: string): SourcePosition | undefined {
  const { relative } = process.getBuiltinModule('node:path')
  for (const [, path, line, column] of stack.matchAll(
    /\(?((?:\/|[A-Za-z]:[\\/])[^():?]+)[^():]*:(\d+):(\d+)\)?$/gm,
  )) {
    const file = relative(root, path!).replaceAll('\\', '/')
    if (file.startsWith('..') || file.includes('node_modules/')) continue
    return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}
