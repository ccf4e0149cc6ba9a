import { expect, test } from 'vitest'
import { ownFolders } from './vite.ts'

for (const [outDir, emptied] of [
  ['dist', ['/app/dist']],
  ['/app/build/client', ['/app/build/client']],
  ['.', []],
  ['', []],
  ['/app', []],
  ['..', []],
  ['../dist', []],
  ['dist/../..', []],
  ['/elsewhere', []],
  ['/app-of-another', []],
] as const) {
  test(`a failed build with outDir "${outDir}" empties ${emptied[0] ?? 'nothing'}`, () =>
    expect(ownFolders('/app', null, [outDir])).toEqual(emptied))
}

test('each folder once, and none where Vite is told to keep them', () => {
  expect(ownFolders('/app', true, ['dist', './dist', 'dist/server'])).toEqual([
    '/app/dist',
    '/app/dist/server',
  ])
  expect(ownFolders('/app', false, ['dist'])).toEqual([])
})
