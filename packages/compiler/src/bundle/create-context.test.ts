import { AppError } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { createWorkerProject } from '../testing/workers.ts'

vi.mock('../evaluate/rolldown.ts', () => {
  const find = () => {
    throw new AppError('BUNDLER_NOT_FOUND', {
      message: 'neither vite nor rolldown is here',
      hint: 'install one',
    })
  }
  return { findRolldown: find, loadRolldown: async () => find() }
})

const files = {
  'src/a.ts': `import { remote } from 'unplugin-flash'\nexport const a = remote({ name: 'one' }, async (n: number) => n + 1)`,
}

test('without Vite and rolldown, rollup is taken', async () => {
  using project = await createWorkerProject(files)
  await project.build()
  expect(await project.call('one', 'a', 1)).toBe(2)
})

test('an engine that is asked for by name is not replaced by the other', async () => {
  using project = await createWorkerProject(files, { engine: 'rolldown' })
  expect(await project.failures()).toMatchObject([
    { code: 'BUNDLER_NOT_FOUND', message: 'neither vite nor rolldown is here' },
  ])
})
