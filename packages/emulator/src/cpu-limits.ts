import { parseCpuInstance } from '@flash/protocol'
import type { EndpointSpec } from './endpoints/types.ts'

const GB = 1e9

/** What a worker on CPUs may use: its first instance; of one on GPUs nothing is known. */
export function toLimits(instances: readonly string[]): NonNullable<EndpointSpec['limits']> {
  const shape = parseCpuInstance(instances[0] ?? '')
  return shape ? { memoryBytes: shape.ramGb * GB, cpus: shape.vcpus } : {}
}
