import { type BalancedLimits, resolveBalancedLimits } from '@flash/emulator'

/** Those of the platform; who allows larger bodies everywhere gets them here as well. */
export function toLimits(maxBodyBytes: number): BalancedLimits {
  const limits = resolveBalancedLimits()
  return { ...limits, bytes: Math.max(limits.bytes, maxBodyBytes) }
}
