import { AppError } from './error.ts'
import type { FunctionFact } from './facts.ts'

/** Says that nothing here can run a route with `local: true`; `LOCAL_NEEDS_SERVER` at the place of the route. */
export function localNeedsServer(
  { exportPath, at }: Pick<FunctionFact, 'exportPath' | 'at'>,
  frame?: string,
): AppError {
  return new AppError('LOCAL_NEEDS_SERVER', {
    message: `\`${exportPath}\` (${at.file}:${at.line}:${at.column}) has \`local: true\`, and the app has no server to run it`,
    hint: 'name the entry of the server in the Vite config, as `build.ssr` or as the input of a server environment; say `flash({ server: true })` where another command or bundler builds it; or leave out `local`, and a worker runs the route',
    at,
    frame,
  })
}
