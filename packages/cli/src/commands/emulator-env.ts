import { AppError } from '@flash/protocol'

/**
 * The variables that an emulator gives its clients, or a worker of an endpoint that is started by hand.
 *
 * - throws `BAD_OPTION` when none answers there, or not to this key, or when it has no such endpoint.
 */
export async function fetchEmulatorEnv(
  { host, port, apiKey }: { host: string; port: number; apiKey: string },
  endpoint: string | undefined,
): Promise<Record<string, string>> {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const query = endpoint === undefined ? '' : `?endpoint=${encodeURIComponent(endpoint)}`
  const answer = await ask(`${url}/_emulator/env${query}`, apiKey)
  const body = (await answer?.json().catch(() => null)) as Record<string, string> | null | undefined
  if (answer?.ok && body) return body
  throw new AppError('BAD_OPTION', {
    message: `the emulator at ${url} does not give its variables: ${reasonOf(answer, body)}`,
    hint: answer
      ? 'look at --port, --key and --endpoint'
      : 'start it with `flash emulator`, or give its --host and --port',
  })
}

function ask(url: string, apiKey: string): Promise<Response | null> {
  const headers = { authorization: `Bearer ${apiKey}` }
  return fetch(url, { headers, signal: AbortSignal.timeout(10_000) }).catch(() => null)
}

function reasonOf(answer: Response | null, body: Record<string, string> | null | undefined): string {
  if (!answer) return 'nothing answers there'
  return body?.error ?? `status ${answer.status}`
}

/** Lines that a shell reads. */
export function toShell(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
}
