import { readFileSync } from 'node:fs'
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
