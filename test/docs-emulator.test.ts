import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEmulator, createMovableClock, type Emulator } from '@flash/emulator/runpod'
import { isLike, readExamples, runCurl } from './helpers/curl.ts'
import { readBlocks, readPage } from './helpers/markdown.ts'
import { createProject, type Project } from './helpers/project.ts'

const page = readPage('docs/emulator.md')
const program = readBlocks(page).find(({ text }) => text.startsWith('// worker.mjs'))!.text

let project: Project
let emulator: Emulator
beforeAll(async () => {
  project = createProject({ 'worker.mjs': program })
  emulator = await createEmulator({
    clock: createMovableClock(),
    program: ({ args }) => ({ command: args.split(' '), cwd: project.root }),
  })
})
afterAll(async () => {
  await emulator?.close()
  project?.remove()
})

test('docs/emulator.md: the emulator answers every curl command as printed below it', async () => {
  const blocks = readBlocks(page).filter(({ text }) => text.startsWith('curl') && text.includes('\n# '))
  const examples = blocks.flatMap(readExamples)
  expect(examples.length).toBeGreaterThan(9)
  const variables = { RUNPOD_API_KEY: emulator.env.RUNPOD_API_KEY!, ENDPOINT: '', ID: '' }
  for (const { command, status, answer } of examples) {
    const ask = async () => {
      const response = await runCurl(command, emulator.url, variables)
      return { status: response.status, text: await response.text() }
    }
    let got = await ask()
    for (
      let tries = 0;
      tries < 200 && /\/status\//.test(command) && got.status === status && !isLike(got.text, answer);
      tries++
    ) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      got = await ask()
    }
    expect({ command, status: got.status }).toEqual({ command, status })
    expect(isLike(got.text, answer), `${command}\nprinted:  ${answer}\nanswered: ${got.text}`).toBe(true)
    const { id } = JSON.parse(got.text)
    if (command.includes('/v2/serverless')) variables.ENDPOINT = id
    else if (/\/run /.test(command)) variables.ID = id
  }
})
