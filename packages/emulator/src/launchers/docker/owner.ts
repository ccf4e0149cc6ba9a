import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type Docker from 'dockerode'
import { isAlive } from '../worker-folder.ts'

const LABEL = 'unplugin-flash'

/** Whose containers they are, written on each of them. */
export interface Owner {
  id: string
  labels: Record<string, string>
}

/** Owners of this process: a later process may get the number of one that crashed. */
const here = new Set<string>()

export function createOwner(): Owner {
  const id = randomUUID().slice(0, 8)
  here.add(id)
  return {
    id,
    labels: {
      [`${LABEL}.emulator`]: id,
      [`${LABEL}.pid`]: String(process.pid),
      [`${LABEL}.host`]: hostname(),
    },
  }
}

/** Removes the containers of emulators that are gone, and of `owner` when it ends. */
export async function removeLeft(engine: Docker, ended?: Owner): Promise<void> {
  if (ended) here.delete(ended.id)
  const filters = { label: [`${LABEL}.emulator`] }
  const containers = await engine.listContainers({ all: true, filters })
  await Promise.all(
    containers
      .filter(({ Labels }) => isLeft(Labels))
      .map(({ Id }) => removeContainer(engine.getContainer(Id))),
  )
}

/** Also one that is gone already, or is being removed by another. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true })
  } catch (error) {
    const { statusCode } = error as { statusCode?: number }
    if (statusCode !== 404 && statusCode !== 409) throw error
  }
}

/** Another machine may use the same engine, and its process numbers mean nothing here. */
function isLeft(labels: Record<string, string>): boolean {
  if (labels[`${LABEL}.host`] !== hostname()) return false
  const pid = Number(labels[`${LABEL}.pid`])
  return pid === process.pid ? !here.has(labels[`${LABEL}.emulator`]!) : !isAlive(pid)
}
