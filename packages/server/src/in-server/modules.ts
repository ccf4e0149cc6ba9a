import { AppError } from '@flash/protocol'

/** A module of the app as its server has it: with what answers its routes, by id. */
export interface ServerModule {
  __flash_functions?: Record<string, ((request: Request) => Promise<Response>) | undefined>
}

/**
 * Answers by a route of a module.
 *
 * - throws `UNKNOWN_FUNCTION` where the module has no such route, or another plugin has left nothing of ours in it.
 */
export function answerFrom(module: ServerModule, id: string, request: Request): Promise<Response> {
  const answer = module.__flash_functions?.[id]
  if (answer) return answer(request)
  throw new AppError('UNKNOWN_FUNCTION', {
    message: 'the module of the route does not have it any more',
    hint: 'reload the page; put plugins that change sources behind flash()',
  })
}
