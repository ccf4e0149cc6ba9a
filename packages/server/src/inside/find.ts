import { AppError, isBalanced } from '@flash/protocol'
import type { FoundFunction, RpcBackend } from '../backend.ts'
import type { RpcCaller } from '../envelope.ts'
import { unknownFunction } from '../target.ts'

/** Whoever calls from this process. */
export const insideCaller: RpcCaller = { kind: 'server', subject: null }

/** Throws `UNKNOWN_FUNCTION`, and `BAD_REQUEST` for what takes no requests. */
export async function findBalanced(backend: Pick<RpcBackend, 'find'>, id: string): Promise<FoundFunction> {
  const found = await backend.find(id)
  if (!found) throw unknownFunction(id)
  if (found.kind && isBalanced({ kind: found.kind })) return found
  throw new AppError('BAD_REQUEST', {
    message: 'a function with a queue takes no requests',
    hint: 'call it as the function that it is',
  })
}
