import { AppError } from '@flash/protocol'
import type { Capability } from '../capability.ts'
import type { RpcCaller } from '../envelope.ts'

/**
 * The id of what a path names, `<id>.<tag>`; servers may leave out the tag.
 *
 * - throws `FORBIDDEN` without a tag, `SKEW` for one of another key or of another function.
 */
export function checkReference(capability: Capability, path: string, caller: RpcCaller): string {
  if (caller.kind === 'server' && !path.includes('.')) return path
  const [, id, tag] = /^([^.]{1,64})\.([a-z2-7]{16})$/.exec(path) ?? []
  if (id === undefined || tag === undefined) {
    throw new AppError('FORBIDDEN', {
      message: 'the address does not name a function with its tag',
      hint: 'call the function through its stub, in a module of the app that imports it',
    })
  }
  if (capability.matches(id, tag)) return id
  throw new AppError('SKEW', {
    message: 'the page was built with another project key, or for another version of this app',
    hint: 'reload the page; in production give build and server the same FLASH_KEY',
  })
}
