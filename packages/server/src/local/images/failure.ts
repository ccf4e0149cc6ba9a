import type { Exit } from '@flash/emulator'
import { AppError, endpointVariable } from '@flash/protocol'

/** What messages say of an endpoint with an image. */
export interface ImageLabel {
  name: string
  image: string
}

/** - `output`: the last lines that the container wrote. */
export function ended(label: ImageLabel, exit: Exit, output: string): AppError {
  const { code, signal, reason } = exit
  const how = signal
    ? `was ended by ${signal}`
    : code === null
      ? 'did not start'
      : `ended with exit code ${code}`
  return imageFailed(label, reason ? `${how} (${reason})` : how, output)
}

export function late(
  label: ImageLabel,
  use: 'queue' | 'balanced',
  startMs: number,
  output: string,
): AppError {
  const missing = use === 'queue' ? 'did not ask for a job' : 'did not answer 200 to /ping'
  return imageFailed(label, `${missing} within ${startMs / 1_000} s`, output)
}

function imageFailed({ name, image }: ImageLabel, how: string, output: string): AppError {
  return new AppError('IMAGE_FAILED', {
    message: `endpoint "${name}": the container of image ${image} ${how}${output ? `; its last output:\n${output}` : ''}`,
    hint: 'correct the image or its config; the next call starts it again. What needs a login has to be pulled by hand: docker pull',
  })
}

/** The engine's own words, and the ways to do without. */
export function needsDocker({ name }: ImageLabel, { message, hint, cause }: AppError): AppError {
  return new AppError('NEEDS_DOCKER', {
    message: `endpoint "${name}" runs an image, which takes Docker: ${message}`,
    hint: `${hint?.replace(/,? or use the launcher "process"/, '')}; or set ${endpointVariable(name)} to where it answers, or add \`dev: { target: 'live' }\` to the config if calls from here may reach the account, and cost what they cost`,
    cause,
  })
}

export function changed({ name }: ImageLabel): AppError {
  return new AppError('IMAGE_FAILED', {
    message: `the config of endpoint "${name}" was changed while its container started`,
    hint: 'call it again',
  })
}

export function closed({ name }: ImageLabel): AppError {
  return new AppError('NO_WORKERS', {
    message: `endpoint "${name}" is closed`,
    hint: 'the development server has ended, or begins anew',
  })
}
