export type { Rewritten } from './transform/edit.ts'
export { rewriteModule } from './transform/rewrite.ts'
export type { CompilerHost, Role } from './types.ts'
export { createProject, type Project } from './project.ts'
