import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError } from '@flash/protocol'
import type { FlashHandlerOptions } from '@flash/server'

/**
 * The `authorize` of a module: its default export, or the export of that name.
 *
 * - `file`: from `cwd`.
 * - throws `BAD_OPTION` for a module that does not load, or has no such export.
 */
export async function loadAuthorize(
  file: string,
  cwd: string,
): Promise<NonNullable<FlashHandlerOptions['authorize']>> {
  const { default: main, authorize = main } = await load(file, cwd)
  if (authorize === 'public' || typeof authorize === 'function') return authorize
  throw new AppError('BAD_OPTION', {
    message: `${file} has no function that says who may call`,
    hint: 'export default (request, call) => …, or export a function `authorize`',
  })
}

async function load(file: string, cwd: string): Promise<Record<string, any>> {
  const path = resolve(cwd, file)
  try {
    return await import(/* @vite-ignore */ pathToFileURL(path).href)
  } catch (cause) {
    throw new AppError('BAD_OPTION', {
      message: `${file} does not load: ${describe(cause)}`,
      hint: existsSync(path)
        ? 'correct the module'
        : 'give --authorize the path of a JavaScript module, from the folder where the command runs',
      cause,
    })
  }
}

/** A frame of a stack, or the line above an excerpt of code; Node's own modules have no path. */
const place = /^(?:\s+at (?:async )?(?:.* \()?)?(?:file:\/\/)?((?:\/|[a-z]:[\\/]).*?:\d+(?::\d+)?)\)?$/im

/** What was thrown, and where. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const [, at] = place.exec(cause.stack ?? '') ?? []
  return at === undefined ? cause.message : `${cause.message} (${at})`
}
