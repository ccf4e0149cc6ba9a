export { describeLauncher } from './conformance.ts'
export { createPrograms, listen } from './programs.ts'
