import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { createProject, type Project, repository } from './project.ts'

/** A copy of a playground, to be served, edited and built beside the original. Builds of it have source maps. */
export function copyPlayground(name: string): Project {
  const original = join(repository, 'playground', name)
  const config = readFileSync(join(original, 'vite.config.ts'), 'utf8')
  const server = "server: { host: '127.0.0.1' },"
  if (!config.includes(server)) throw new Error(`the config of playground/${name} does not contain ${server}`)
  // The packages are a link to the repository's, so files are served from there and the cache lies elsewhere.
  const allow = JSON.stringify(['.', repository])
  const instead = `cacheDir: '.vite', build: { sourcemap: true }, server: { host: '127.0.0.1', fs: { allow: ${allow} } },`
  return createProject({ 'vite.config.ts': config.replace(server, instead) }, original)
}

/** Runs `vite build` as a user would. */
export function buildProject(project: Project): Promise<{ code: number; output: string }> {
  const { VITEST: _vitest, NODE_ENV: _nodeEnv, ...env } = process.env
  const vite = join(repository, 'node_modules/vite/bin/vite.js')
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [vite, 'build'],
      { cwd: project.root, env: { ...env, NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    )
  })
}

/** Everything a browser could ever get of a build, by file name. */
export function readBuild(project: Project): Map<string, string> {
  const folder = project.path('dist')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
  return new Map(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]),
  )
}

declare const axe: {
  run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>
}

/** What axe finds wrong on a page as it is now, in the light and in the dark look. */
export async function findViolations(page: Page, axeSource: string): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource)
    const { violations } = await page.evaluate(() => axe.run())
    for (const { id, nodes } of violations)
      for (const { html, failureSummary } of nodes)
        found.push(`${colorScheme}: ${id}: ${html}\n${failureSummary}`)
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  return found
}
