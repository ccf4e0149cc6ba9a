import { AppError } from '@flash/protocol'
import { current, type ServersState } from './servers-state.ts'

export function noWorkers({ settings: { name }, isClosed }: ServersState): AppError {
  return new AppError('NO_WORKERS', {
    message: isClosed
      ? `endpoint "${name}" is closed`
      : `endpoint "${name}" had no worker that was ready within 2 minutes`,
    hint: 'look at what its worker prints',
  })
}

/** Why a request got no worker in time: most often one is still loading. */
export function notReady(state: ServersState): AppError {
  const { settings, sources } = state
  if (!current(state).some(({ isOpening }) => isOpening)) return noWorkers(state)
  return new AppError('MODULE_FAILED', {
    message: `endpoint "${settings.name}" was not ready within 2 minutes: ${sources.join(', ')} did not finish loading`,
    hint: 'what the module awaits at its top, its `setup` or the function that makes its app does not end; correct it and save, which starts a fresh worker',
  })
}
