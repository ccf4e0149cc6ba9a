import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'
import { createPythonProject, findPrograms, fixture, type PythonProject } from '../helpers/python.ts'

const programs = findPrograms()

describe.skipIf(!programs)('the Python package runpod-flash 1.21', () => {
  let watched: WatchedEmulator
  let project: PythonProject
  let before: Record<string, string>

  beforeAll(async () => {
    const python = `${programs!.sdk1}/python`
    watched = await startEmulator({
      program: ({ endpoint }) => ({
        command:
          endpoint === 'sync'
            ? [python, '-u', fixture('worker.py'), 'sync']
            : [python, '-u', fixture('stand_in.py')],
      }),
    })
    project = createPythonProject(fixture('words'), {
      ...watched.emulator.env,
      FLASH_IS_LIVE_PROVISIONING: 'true',
      RUNPOD_FLASH_SILENCE_DEPRECATION: '1',
    })
  })
  afterAll(async () => {
    await watched?.close()
    project?.remove()
  })

  const speak = (workers: number) => {
    watched.requests.clear()
    return project.ask(`${programs!.sdk1}/python`, ['words.py'], { WORKERS: String(workers) })
  }
  const idsByName = async () =>
    Object.fromEntries((await watched.listEndpoints()).map(({ id, name }) => [name, id]))

  test('functions that are called for the first time get an endpoint each', async () => {
    const seen = await speak(1)
    expect(seen.shout).toEqual({ text: 'HEY', tone: 'loud' })
    expect(seen.whisper).toBe('hey')
    expect(seen.error).toMatch(/Remote execution failed: nothing to whisper/)
    before = await idsByName()
    expect(Object.keys(before).sort()).toEqual(['live-shout', 'live-whisper'])
    expect(watched.requests.changes().filter((change) => change === 'saveEndpoint')).toHaveLength(2)
  })

  test('a second run changes nothing', async () => {
    expect((await speak(1)).whisper).toBe('hey')
    expect(await idsByName()).toEqual(before)
    expect(watched.requests.changes().filter((change) => change.startsWith('save'))).toEqual([])
  })

  test('one field that changed is updated in place', async () => {
    expect((await speak(2)).shout.text).toBe('HEY')
    expect(await idsByName()).toEqual(before)
    expect(watched.requests.changes().filter((change) => change === 'saveEndpoint')).toHaveLength(1)
    expect(await watched.get(`/v2/serverless/${before['live-shout']}`)).toMatchObject({
      workers: { min: 0, max: 2, idleTimeout: 30 },
    })
    expect(await watched.get(`/v2/serverless/${before['live-whisper']}`)).toMatchObject({
      workers: { max: 1 },
    })
  })

  test('an endpoint that is there already is called by its id', async () => {
    const { id } = watched.emulator.addEndpoint({ name: 'sync', workersMax: 1 })
    const seen = await project.ask(`${programs!.sdk1}/python`, ['connect.py', id])
    expect(seen.runsync).toMatchObject({ output: { text: 'ONE', id: seen.runsync.id }, done: true })
    expect(seen.run).toMatchObject({ output: { text: 'TWO', id: seen.run.id }, status: 'COMPLETED' })
    expect(seen.cancel.status).toBe('CANCELLED')
    expect(await watched.get(`/v2/${id}/status/${seen.run.id}`)).toMatchObject({ output: seen.run.output })
    expect(await watched.get(`/v2/${id}/status/${seen.cancel.id}`)).toMatchObject({ status: 'CANCELLED' })
  })

  test('undeploy deletes what was provisioned, and nothing else', async () => {
    const flash = `${programs!.sdk1}/flash`
    const list = await project.run(flash, ['undeploy', 'list'])
    expect(list.output).toContain(before['live-shout'])
    const one = await project.run(flash, ['undeploy', 'live-shout', '--force'])
    expect(one).toMatchObject({ code: 0, output: expect.stringContaining('deleted live-shout') })
    expect(Object.keys(await idsByName()).sort()).toEqual(['live-whisper'])
    const rest = await project.run(flash, ['undeploy', '--all', '--force'])
    expect(rest).toMatchObject({ code: 0, output: expect.stringContaining('deleted 1/1 endpoints') })
    expect(await watched.listEndpoints()).toEqual([])
  })
})
