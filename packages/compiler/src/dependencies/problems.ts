import { AppError } from '@flash/protocol'
import { relative } from 'node:path'
import { toPosix } from '../locate.ts'
import { installAll, installOne } from './commands.ts'
import type { ImportPlace } from './import-place.ts'
import type { LockedPackage, Manager, Place } from './types.ts'

/** What every message is about. */
export interface Subject {
  name: string
  endpoint: string
  root: string
  manager: Manager
}

export function shownFrom(root: string, file: string): string {
  return toPosix(relative(root, file))
}

/** A package that can be installed and is not. A warning. */
export function missing(subject: Subject, declaredIn: string, version: string, found: ImportPlace): AppError {
  const { name, endpoint, root, manager } = subject
  return new AppError('DEPENDENCY_MISSING', {
    message: `"${name}" is in ${shownFrom(root, declaredIn)} and not installed here, so the endpoint "${endpoint}" is built without it; its workers install ${version}`,
    hint: `run \`${installAll(manager)}\`, or add "${name}" to \`dependencies\` of the endpoint; until then it is not deployed`,
    at: found.at,
    frame: found.frame,
  })
}

export function notDeclared(subject: Subject, place: Place, importer: string, found: ImportPlace): AppError {
  const { name, endpoint, root, manager } = subject
  const line = found.at ? `${importer}:${found.at.line}` : importer
  const manifest = place.owner ? shownFrom(root, place.owner.file) : 'a package.json, and there is none'
  return new AppError('DEPENDENCY_NOT_DECLARED', {
    message: `${line} of the endpoint "${endpoint}" imports "${name}", which is not installed and not in ${manifest}`,
    hint: `run \`${installOne(manager, name)}\` in the folder of that file, or correct the import`,
    at: found.at,
    frame: found.frame,
  })
}

/** `known`: what makes it impossible to tell. */
export function noVersion(
  subject: Subject,
  known: { lockfile: string | null; versions: string[] },
): AppError {
  const { name, endpoint, manager } = subject
  const { lockfile, versions } = known
  const reason =
    lockfile === null
      ? 'there is no lockfile'
      : versions.length > 1
        ? `${lockfile} has several: ${versions.join(', ')}`
        : `${lockfile} does not have it`
  return new AppError('DEPENDENCY_NO_VERSION', {
    message: `workers of the endpoint "${endpoint}" install "${name}", and which version cannot be told: ${reason}`,
    hint: `run \`${installOne(manager, name)}\`, or write the version into \`dependencies\` of the endpoint: "${name}@${versions[0] ?? '1.2.3'}"`,
  })
}

export function notPublished(subject: Subject, { source }: LockedPackage): AppError {
  const { name, endpoint } = subject
  const isFolder = source!.startsWith('the folder ')
  return new AppError('DEPENDENCY_NOT_PUBLISHED', {
    message: `workers of the endpoint "${endpoint}" install "${name}", and it comes from ${source}, which no registry has`,
    hint: isFolder
      ? `install it here and leave it out of \`dependencies\`: packages of the workspace go into the bundle`
      : `publish it, or write the version of a published one into \`dependencies\`: "${name}@1.2.3"`,
  })
}

/** The config gives another version than the lockfile. A warning. */
export function otherVersion({ name, endpoint }: Subject, wanted: string, locked: string): AppError {
  return new AppError('DEPENDENCY_DIFFERS', {
    message: `workers of the endpoint "${endpoint}" install "${name}@${wanted}", as its \`dependencies\` say; this project has ${locked}`,
    hint: `write "${name}@${locked}", or "${name}" for the version of the lockfile`,
  })
}

/** The config has a range where only one version can be installed. A warning. */
export function notExact({ name, endpoint }: Subject, range: string, locked: string): AppError {
  return new AppError('DEPENDENCY_DIFFERS', {
    message: `workers of the endpoint "${endpoint}" install "${name}@${locked}", as the lockfile says; "${range}" of its \`dependencies\` is not one version`,
    hint: `write "${name}@${locked}", or "${name}" alone`,
  })
}

/** The project changes the package's files. A warning. */
export function patched({ name, endpoint }: Subject, version: string): AppError {
  return new AppError('DEPENDENCY_DIFFERS', {
    message: `workers of the endpoint "${endpoint}" install "${name}@${version}" as published, without the patch that this project has for it`,
    hint: 'publish the patched package under a name of its own, or take it out of `dependencies` when it can be bundled',
  })
}

/** Several package managers have left a lockfile in one folder. A warning. */
export function rivalLockfiles(root: string, file: string, rivals: string[]): AppError {
  const shown = shownFrom(root, file)
  return new AppError('LOCKFILE_AMBIGUOUS', {
    message: `versions are taken from ${shown}, and ${rivals.join(', ')} is beside it`,
    hint: 'delete those that are not used any more, or name the package manager in `packageManager` of package.json',
  })
}
