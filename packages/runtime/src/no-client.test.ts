import { expect, test } from 'vitest'
import { noClient } from './index.ts'

const refusal = {
  name: 'RemoteError',
  code: 'CLIENT_SERVER_ONLY',
  hint: expect.stringContaining('`remote` function'),
}

test('every member of a client rejects in a page, and none throws at once', async () => {
  const client = noClient()
  const names = 'run runSync status cancel health get post put patch delete head options ws'.split(' ')
  expect(Object.keys(client).sort()).toEqual([...names, 'stream'].sort())
  for (const name of names) await expect(client[name]!('/x', {})).rejects.toMatchObject(refusal)
  const stream = client.stream!('id') as AsyncGenerator
  await expect(stream.next()).rejects.toMatchObject(refusal)
})
