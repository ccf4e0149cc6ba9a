import { expect, test } from 'vitest'
import { toLoadError, toServedError } from './load-error.ts'

const coded = (code: string, message: string) => Object.assign(new Error(message), { code })

for (const [what, error, wanted] of [
  [
    'a package',
    coded('ERR_MODULE_NOT_FOUND', "Cannot find package 'sharp' imported from '/app/a.ts'"),
    { code: 'DEPENDENCY_NOT_INSTALLED', hint: 'run: npm install sharp' },
  ],
  [
    'a part of a scoped package',
    coded('ERR_MODULE_NOT_FOUND', "Cannot find module '@a/b/c' imported from x"),
    { code: 'DEPENDENCY_NOT_INSTALLED', hint: 'run: npm install @a/b' },
  ],
  [
    'what a CommonJS module requires',
    coded('MODULE_NOT_FOUND', "Cannot find module 'old'\nRequire stack:"),
    {
      code: 'DEPENDENCY_NOT_INSTALLED',
      message: `the package "old" is not installed: Cannot find module 'old'`,
    },
  ],
  [
    'a file',
    coded('ERR_MODULE_NOT_FOUND', "Cannot find module '/app/gone.ts' imported from x"),
    { code: 'MODULE_FAILED' },
  ],
  ['an import that says nothing', coded('ERR_MODULE_NOT_FOUND', 'not found'), { code: 'MODULE_FAILED' }],
  [
    'what is no error',
    'text',
    { code: 'MODULE_FAILED', message: 'src/a.ts could not be loaded: text', data: undefined },
  ],
  [
    'an error without a place',
    Object.assign(new Error('no'), { stack: undefined }),
    { code: 'MODULE_FAILED', data: undefined },
  ],
  [
    'an error of a package',
    Object.assign(new Error('no'), {
      stack: 'Error: no\n    at f (/app/node_modules/p/i.js:1:2)\n    at /elsewhere/b.ts:3:4',
    }),
    { data: undefined },
  ],
  [
    'an error of the project',
    Object.assign(new Error('no'), {
      stack: 'Error: no\n    at g (/app/node_modules/p/i.js:1:2)\n    at h (/app/src/b.ts?x=1:3:4)',
    }),
    { data: { at: { file: 'src/b.ts', line: 3, column: 4 } } },
  ],
] as const) {
  test(`not loaded: ${what}`, () =>
    expect(toServedError(error, '/src/a.ts?flash=key', '/app')).toMatchObject(wanted))
}

test('what has a code of the product passes through', () => {
  const error = coded('SYNTAX_ERROR', 'told')
  expect(toServedError(error, '/a.ts', '/app')).toBe(error)
})

test('where nothing is saved and called again, the next step is another', () => {
  expect(toLoadError(new Error('no'), 'the bundle', '/app', 'build again')).toMatchObject({
    code: 'MODULE_FAILED',
    message: 'the bundle could not be loaded: no',
    hint: 'build again',
  })
})
