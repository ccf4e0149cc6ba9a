import { rm } from 'node:fs/promises'
import { createToken } from '../ids.ts'
import type { AccountContext } from '../store.ts'
import { artifactPath } from './paths.ts'

/** Uploads and downloads can be done that long after they were asked for. */
export const LINK_MS = 3_600_000

/** An address that gives the archive of an object to whoever has it. */
export function downloadLink(ctx: AccountContext, objectKey: string): { url: string; expiresAt: number } {
  forgetExpired(ctx)
  const token = createToken()
  const expiresAt = ctx.clock.now() + LINK_MS
  ctx.store.downloads.set(token, { objectKey, expiresAt })
  return { url: `${ctx.url()}/download/${token}`, expiresAt }
}

/** Forgets addresses that are no longer good, and archives that nobody made a build of. */
export function forgetExpired({ store, clock, folder, background }: AccountContext): void {
  const now = clock.now()
  for (const [token, { expiresAt }] of store.downloads) if (expiresAt <= now) store.downloads.delete(token)
  for (const [token, { expiresAt, state, objectKey }] of store.uploads) {
    if (expiresAt > now || state === 'receiving') continue
    store.uploads.delete(token)
    if (state === 'received') background(rm(artifactPath(folder, objectKey), { force: true }))
  }
}
