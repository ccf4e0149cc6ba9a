import { expect, test } from 'vitest'
import { routeOfServer } from './of-server.ts'

test('a worker that calls a route of the server of the app is told which one, and what else there is', async () => {
  const me = routeOfServer('api.GET /me', 'src/me.ts:7:19')
  await expect(me()).rejects.toMatchObject({
    code: 'LOCAL_NEEDS_SERVER',
    message: expect.stringContaining('`api.GET /me` (src/me.ts:7:19)'),
    hint: expect.stringContaining('without `local`'),
  })
})
