export { define, register } from './execute/define.ts'
export { localApi, localRoute, localWeb } from './local/in-process/balanced.ts'
export { local } from './local/in-process/local.ts'
export { serveInline } from './local/inline.ts'
