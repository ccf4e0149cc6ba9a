import type { QueueAddress } from '../send/types.ts'

/** Why the platform did not pass a request on, for whoever sent it. */
export interface PlatformRefusal {
  code: 'ACCOUNT_REFUSED' | 'ENDPOINT_NOT_DEPLOYED' | 'NO_WORKERS' | 'BAD_REQUEST'
  message: string
  hint?: string
}

/**
 * What an answer of the platform says about the endpoint; nothing for one that says something else.
 *
 * - `about`: the endpoint, as the beginning of a sentence.
 * - `text`: of the answer, or its beginning.
 */
export function readPlatformRefusal(
  about: string,
  { place, hint, key, keyName = 'RUNPOD_API_KEY' }: Pick<QueueAddress, 'place' | 'hint' | 'key' | 'keyName'>,
  { status, text }: { status: number; text: string },
): PlatformRefusal | undefined {
  if ((status === 401 || status === 403) && key === undefined) {
    return {
      code: 'ACCOUNT_REFUSED',
      message: `${about}: the address asks for a key (${status}), and none is sent there`,
      hint: `${keyName} goes to ids, to hosts of RUNPOD_ENDPOINT_BASE_URL and to this machine, to no other address`,
    }
  }
  if (status === 401 || status === 403) {
    return {
      code: 'ACCOUNT_REFUSED',
      message: `${about}: the platform does not accept the account key here (${status})`,
      hint: `look whether ${keyName} is complete and may use the endpoint`,
    }
  }
  if (status === 404) {
    const message = `${about} is not known in ${place}`
    return { code: 'ENDPOINT_NOT_DEPLOYED', message, hint }
  }
  if (/no workers available/i.test(text)) {
    const message = `${about}: no worker was healthy as long as a request may wait`
    return { code: 'NO_WORKERS', message, hint: 'try again, or give the endpoint more workers' }
  }
  if (/not allowed for QB API/i.test(text)) {
    const message = `${about} has a queue and takes no HTTP requests`
    return { code: 'BAD_REQUEST', message, hint: 'use `run` or `runSync`' }
  }
  return undefined
}
