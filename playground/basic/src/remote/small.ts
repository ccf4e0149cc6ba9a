import type { EndpointConfig } from 'unplugin-flash'

// Functions that name this constant share one endpoint and its worker.
export const small = {
  name: 'basic-small',
  cpu: 'cpu3g-2-8',
  workers: [0, 2],
  maxConcurrency: 4,
} satisfies EndpointConfig
