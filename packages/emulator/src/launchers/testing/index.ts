export { describeLauncher } from './conformance.ts'
export { createScriptedEngine, type ScriptedEngine } from './engine.ts'
export { createPrograms, listen } from './programs.ts'
