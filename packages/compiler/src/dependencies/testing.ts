import { readFileSync } from 'node:fs'
import { createTestProject, type TestProject } from '../testing/project.ts'
import { findLockfile, readLockfile } from './lockfile.ts'
import { createPlaces } from './place.ts'
import type { Lockfile, Place } from './types.ts'

/** What the package managers wrote for `shop`, without checksums; the number is the version of the format or the manager. */
export const samples = {
  'npm-2.json': 'package-lock.json',
  'npm-3.json': 'npm-shrinkwrap.json',
  'pnpm-5.4.yaml': 'pnpm-lock.yaml',
  'pnpm-6.0.yaml': 'pnpm-lock.yaml',
  'pnpm-9.0.yaml': 'pnpm-lock.yaml',
  'yarn-1.lock': 'yarn.lock',
  'yarn-3.lock': 'yarn.lock',
  'yarn-4.lock': 'yarn.lock',
  'bun-1.2.lock': 'bun.lock',
  'bun-1.4.lock': 'bun.lock',
} as const

export type Sample = keyof typeof samples

export function readSample(sample: Sample): string {
  return readFileSync(new URL(`fixtures/${sample}`, import.meta.url), 'utf8')
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

/** The workspace that the samples are of. */
export const shop = {
  'package.json': toJson({
    name: 'shop',
    workspaces: ['packages/*'],
    dependencies: {
      msgpackr: '^1.11.5',
      debug: '2.6.9',
      small: 'npm:ms@2.0.0',
      rollup: '3.29.5',
      tiny: 'file:./vendor/tiny',
      inherits: 'https://registry.npmjs.org/inherits/-/inherits-2.0.4.tgz',
    },
    resolutions: { 'msgpackr-extract': '3.0.3' },
  }),
  'packages/web/package.json': toJson({
    name: '@shop/web',
    dependencies: {
      '@shop/lib': 'workspace:^',
      debug: '~4.3.7',
      react: '18.3.1',
      'use-sync-external-store': '1.2.2',
    },
  }),
  'packages/lib/package.json': toJson({
    name: '@shop/lib',
    version: '1.0.0',
    dependencies: {
      bufferutil: '^4.0.9',
      ms: '2.1.2',
      react: '17.0.2',
      'use-sync-external-store': '1.2.2',
    },
  }),
}

export interface TestLockfile extends TestProject {
  lockfile: Lockfile
  /** The place of a file of the project. */
  place(file: string): Place
}

/** A project with a lockfile and whatever else is on the disk. */
export async function createTestLockfile(
  name: string,
  text: string,
  files: Record<string, string> = {},
): Promise<TestLockfile> {
  const project = createTestProject({ ...files, [name]: text })
  const found = await findLockfile(project.root, project.root)
  const places = createPlaces(project.root)
  return {
    ...project,
    lockfile: await readLockfile(found!, project.root),
    place: (file) => places.of(project.path(file)),
  }
}
