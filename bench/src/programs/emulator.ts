import { createEmulator } from 'unplugin-flash/emulator'
import { answerParent, readInput } from './parent.ts'

export interface EmulatorInput {
  /** `.flash/build` of a project. */
  bundles?: string
  /** Variables of this process that its workers get. */
  workerEnv?: Record<string, string>
  /** So many endpoints without a worker, and so many jobs that wait, spread over them. */
  idle?: { endpoints: number; jobs: number }
}

export interface EmulatorReady {
  /** Addresses of endpoints, by name. */
  urls: Record<string, string>
  key: string
  pid: number
}

const input = readInput<EmulatorInput>()
const emulator = await createEmulator()
const added = input.bundles ? emulator.addBundles(input.bundles) : []
for (const { id } of added) {
  const { spec } = emulator.endpoints.get(id)!
  emulator.endpoints.save({ ...spec, env: { ...spec.env, ...input.workerEnv }, workersMin: 1, workersMax: 1 })
}
const idle = Array.from({ length: input.idle?.endpoints ?? 0 }, (_, index) =>
  emulator.addEndpoint({ name: `idle-${index}`, workersMax: 0 }),
)
for (let job = 0; job < (input.idle?.jobs ?? 0); job++) {
  emulator.endpoints.get(idle[job % idle.length]!.id)!.queue.submit({ input: { job } })
}
const ready: EmulatorReady = {
  urls: Object.fromEntries(added.map(({ name, url }) => [name, url])),
  key: emulator.env.RUNPOD_API_KEY!,
  pid: process.pid,
}
answerParent(ready, () => emulator.close())
