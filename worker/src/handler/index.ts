export { start } from './start.ts'
export type { FetchOptions, HandlerContext, HandlerOptions, Job } from './types.ts'
