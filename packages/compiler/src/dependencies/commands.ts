import type { Manager } from './types.ts'

/** The command that adds packages to a `package.json`. */
export function installOne(manager: Manager, name: string): string {
  return `${manager} ${manager === 'npm' ? 'install' : 'add'} ${name}`
}

/** The command that installs what the lockfile has. */
export function installAll(manager: Manager): string {
  return `${manager} install`
}
