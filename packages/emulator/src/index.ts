export { onExit } from './exit.ts'
export * from './queue/index.ts'
export * from './workers/index.ts'
