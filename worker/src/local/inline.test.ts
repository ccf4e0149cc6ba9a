import { expect, test, vi } from 'vitest'
import { serveInline } from '../index.ts'
import { createPair, createParent, createProject, workerModule } from './testing.ts'

test('a worker in the own process: calls work, and what others print is left alone', async () => {
  const project = await createProject({
    'main.ts': workerModule(
      "__flash_define(__flash_functions, 'say', {}, () => { process.stdout.write('from the call'); return process.env.FLASH_TEST_INLINE })",
    ),
  })
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const pair = createPair()
  const parent = createParent(pair.wire)
  Object.assign(parent.answers, project.answers)
  const end = serveInline(pair.channel, { env: { FLASH_TEST_INLINE: 'set', PATH: 'not this' } })
  parent.say({ t: 'start', root: project.root, endpoint: 'test', unnamed: [] })
  expect(await parent.call('say')).toBe('set')
  process.stdout.write('from somebody else')
  expect(write.mock.calls).toEqual([['from somebody else']])
  expect(parent.output(1)).toBe('from the call')
  expect(process.env.PATH).not.toBe('not this')
  pair.close()
  await end()
  write.mockRestore()
  delete process.env.FLASH_TEST_INLINE
  await project.close()
})
