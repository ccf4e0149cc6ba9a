export { parsePolicy } from './policy.ts'
export { createQueue } from './queue.ts'
export type * from './types.ts'
export { sendWebhook } from './webhook.ts'
