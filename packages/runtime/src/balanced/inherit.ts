import type { BalancedTarget } from './types.ts'

/** A caller's signal together with what the code that makes the call hands down. */
export function inheritSignal(
  inherit: BalancedTarget['inherit'],
  signal: AbortSignal | undefined,
): AbortSignal | undefined {
  return inherit ? inherit({ signal })?.signal : signal
}
