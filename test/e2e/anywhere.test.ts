import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProject, readManifest, runNode } from '../helpers/build.ts'
import { copyPlayground } from '../helpers/playground.ts'
import { type Project, repository } from '../helpers/project.ts'

/** One job for each endpoint of the playgrounds, and what its result has to hold. */
const jobs: Record<string, Record<string, { input: unknown; result: unknown }>> = {
  basic: {
    'basic-small': {
      input: { 'flash:call': { v: 1, fn: 'greet' }, name: 'Ada' },
      result: { output: expect.stringContaining('Ada') },
    },
    'remote-schema-quote': {
      input: { item: 'rolls', quantity: 12 },
      result: { output: { text: '12 × rolls', total: 30 } },
    },
    'remote-setup-findCapital': {
      input: { country: 'Japan' },
      result: { output: expect.objectContaining({ capital: 'Tokyo' }) },
    },
    'remote-shared-alone': { input: {}, result: { output: expect.any(Number) } },
    // Nobody answers for other endpoints here, and that is said.
    'remote-chain-welcome': {
      input: { names: ['Ada'] },
      result: { error: expect.objectContaining({ code: 'CALLS_NEED_KEY' }) },
    },
  },
  ocr: {
    'receipt-ocr': {
      input: {},
      result: { output: expect.arrayContaining([expect.objectContaining({ kind: 'line' })]) },
    },
  },
}

describe.each(['basic', 'ocr'])('the bundles of playground/%s', (name) => {
  let project: Project
  let bare: string

  beforeAll(async () => {
    project = copyPlayground(name)
    const { code, output } = await buildProject(project)
    expect(code, output).toBe(0)
    bare = realpathSync(mkdtempSync(join(tmpdir(), 'flash-bare-')))
  }, 120_000)

  afterAll(() => {
    project?.remove()
    rmSync(bare, { recursive: true, force: true })
  })

  test('run in a folder that has nothing but what they declare', async () => {
    for (const endpoint of Object.keys(readManifest(project).endpoints)) {
      const folder = join(bare, endpoint)
      cpSync(project.path(`.flash/build/${endpoint}`), folder, { recursive: true })
      const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (Object.keys(dependencies).length > 0) install(folder)
      const job = jobs[name]![endpoint]!
      const input = endpoint === 'receipt-ocr' ? await receipt() : job.input
      writeFileSync(join(folder, 'test_input.json'), JSON.stringify({ input }))
      const { code, stdout, output } = await runNode(folder, ['main.mjs', '--test-input'])
      expect(JSON.parse(stdout), output).toEqual(job.result)
      expect(code).toBe('error' in (job.result as object) ? 1 : 0)
    }
  }, 240_000)
})

function install(folder: string): void {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    stdio: 'pipe',
  })
  expect(existsSync(join(folder, 'node_modules'))).toBe(true)
}

/** The sample picture as a caller from elsewhere would send it. */
async function receipt(): Promise<unknown> {
  const { encodeValue } = await import('@flash/protocol')
  const bytes = readFileSync(join(repository, 'playground/ocr/sample/receipt.jpg'))
  const file = new File([bytes], 'receipt.jpg', { type: 'image/jpeg' })
  const { text } = await encodeValue([file], 'in', { inline: true })
  return { 'flash:call': { v: 1 }, 'flash:args': text }
}
