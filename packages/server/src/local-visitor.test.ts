import { expect, test } from 'vitest'
import { isLoopback } from './local-visitor.ts'

test('loopback addresses', () => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
    expect(isLoopback(address)).toBe(true)
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '1127.0.0.1', 'fe80::1', '', undefined])
    expect(isLoopback(address)).toBe(false)
})
