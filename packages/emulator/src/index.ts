export { onExit } from './exit.ts'
export * from './queue/index.ts'
export * from './local/index.ts'
