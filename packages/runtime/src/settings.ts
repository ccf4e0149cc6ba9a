import { strategies, type StrategyName } from './balance/balancer.ts'
import { type Env, readVariable } from './registry/variables.ts'

/** How calls between endpoints are made. */
export interface CallSettings {
  retry: boolean
  breaker: boolean
  balance: StrategyName
}

const yes = ['1', 'true', 'yes', 'on']
const no = ['0', 'false', 'no', 'off']

/**
 * Variables come before what the build says.
 *
 * - `warn`: told about each value that cannot be used, and is left out.
 */
export function readCallSettings(
  env: Env,
  built: Partial<CallSettings>,
  warn: (line: string) => void,
): CallSettings {
  const flag = (name: string, fallback = true): boolean => {
    const text = readVariable(env, name)?.toLowerCase()
    if (text === undefined) return fallback
    if (yes.includes(text) || no.includes(text)) return yes.includes(text)
    warn(`${name} is ${quote(text)}, and is left out; allowed: ${[...yes, ...no].join(', ')}`)
    return fallback
  }
  return {
    retry: flag('FLASH_RETRY_ENABLED', built.retry),
    breaker: flag('FLASH_CIRCUIT_BREAKER_ENABLED', built.breaker),
    balance: readStrategy(env, warn) ?? built.balance ?? strategies[0],
  }
}

function readStrategy(env: Env, warn: (line: string) => void): StrategyName | undefined {
  // Also as older clients spell them: `round_robin`.
  const text = readVariable(env, 'FLASH_LB_STRATEGY')?.toLowerCase().replaceAll('_', '-')
  const name = text === 'least-connections' ? 'least-busy' : text
  const known = strategies.find((one) => one === name)
  if (text !== undefined && !known)
    warn(`FLASH_LB_STRATEGY is ${quote(text)}, and is left out; allowed: ${strategies.join(', ')}`)
  return known
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64))
}
