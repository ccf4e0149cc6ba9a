import { describe, expect, test } from 'vitest'
import { createKnownValues } from './known.ts'

describe('import.meta.env', () => {
  test('mode and what follows from it', () => {
    expect(createKnownValues({}).metaEnv).toEqual({ MODE: 'development', PROD: false, DEV: true })
    expect(createKnownValues({ mode: 'production' }).metaEnv).toEqual({
      MODE: 'production',
      PROD: true,
      DEV: false,
    })
    expect(createKnownValues({ mode: 'staging', variables: { NODE_ENV: 'production' } }).metaEnv).toEqual({
      MODE: 'staging',
      PROD: true,
      DEV: false,
    })
  })

  test('define wins over env, single names over the whole', () => {
    const define = {
      'import.meta.env': { A: 'whole', B: 'whole' },
      'import.meta.env.A': '"single"',
      'import.meta.env.C': 'undefined',
    }
    const { metaEnv, find } = createKnownValues({ env: { A: 'env', B: 'env', D: 'env' }, define })
    expect(metaEnv).toMatchObject({ A: 'single', B: 'whole', C: undefined, D: 'env' })
    expect(find('import.meta.env.B')).toEqual({ kind: 'data', data: 'whole' })
    expect(find('import.meta.env.toString')).toEqual({ kind: 'data', data: undefined })
    expect(find('import.meta.env')).toEqual({ kind: 'data', data: define['import.meta.env'] })
  })
})

describe('other names', () => {
  const { find } = createKnownValues({
    define: { TEXT: '"x"', NUMBER: 3, CODE: 'a + b', 'process.env.NODE_ENV': '"test"' },
    configEnv: ['GPU', 'UNSET', 'MODE'],
    variables: { GPU: 'L4', SECRET: 'x', MODE: 'other' },
  })
  for (const [name, known] of [
    ['TEXT', { kind: 'data', data: 'x' }],
    ['NUMBER', { kind: 'data', data: 3 }],
    ['CODE', { kind: 'expression', code: 'a + b' }],
    ['toString', undefined],
    ['process.env', undefined],
    ['process.env.NODE_ENV', { kind: 'data', data: 'test' }],
    ['process.env.MODE', { kind: 'data', data: 'development' }],
    ['process.env.GPU', { kind: 'data', data: 'L4' }],
    ['process.env.UNSET', { kind: 'data', data: undefined }],
    ['process.env.SECRET', { kind: 'unlisted', name: 'SECRET' }],
  ] as const)
    test(name, () => expect(find(name)).toEqual(known))

  test('the same for a bundler and for a process', () => {
    const { defines, variables } = createKnownValues({
      define: { A: 'x', B: { c: 1 }, C: undefined },
      configEnv: ['GPU', 'UNSET'],
      variables: { GPU: 'L4' },
    })
    expect(defines).toEqual({
      'import.meta.env': '{"MODE":"development","PROD":false,"DEV":true}',
      'process.env.NODE_ENV': '"development"',
      A: 'x',
      B: '{"c":1}',
    })
    expect(variables).toEqual({ NODE_ENV: 'development', MODE: 'development', GPU: 'L4' })
  })
})
