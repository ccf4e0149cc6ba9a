import { AppError } from '@flash/protocol'

/** Why an answer of a worker of this machine is not passed on. */
export function headTooLarge(workerId: string, limit: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the headers of the answer of the worker ${workerId} have more than ${limit} bytes`,
    hint: 'answer with fewer or shorter headers: what is large belongs into the body',
    data: { limit },
  })
}
