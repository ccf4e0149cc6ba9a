import { RemoteError } from '@flash/protocol'

const members = 'run runSync status cancel health get post put patch delete head options ws'.split(' ')

/**
 * What stands in a page for a client of an endpoint: every member rejects. Nothing in it says which endpoint it was.
 *
 * A page has no key, and whoever may call is decided on the server.
 */
export function noClient(): Record<string, (...args: unknown[]) => unknown> {
  const refuse = async (): Promise<never> => {
    throw new RemoteError(
      'CLIENT_SERVER_ONLY',
      'a client of an endpoint works on servers, in workers and in scripts',
      {
        hint: 'call it inside a `remote` function or a route of the server, and call that from here',
      },
    )
  }
  const client: ReturnType<typeof noClient> = {
    async *stream() {
      yield await refuse()
    },
  }
  for (const name of members) client[name] = refuse
  return client
}
