import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleFolder } from '@flash/protocol'
import type { LaunchedWorker, WorkerLine, WorkerOrder } from '../launcher.ts'

/** A bundle whose program is what the variable SCRIPT says. */
export function createPrograms() {
  const folder = mkdtempSync(join(tmpdir(), 'flash-programs-'))
  // A container's user is another one.
  chmodSync(folder, 0o755)
  writeFileSync(
    join(folder, 'main.mjs'),
    "await import('data:text/javascript,' + encodeURIComponent(process.env.SCRIPT))\n",
  )
  let count = 0
  return {
    order: (script: string, more: Partial<WorkerOrder> = {}): WorkerOrder => ({
      endpointId: 'abcdefghijklmn',
      endpoint: 'tested',
      workerId: `worker${process.pid}x${++count}`,
      kind: 'queue',
      image: 'tested-image:1',
      args: '',
      mounts: [{ source: folder, target: bundleFolder }],
      limits: {},
      ...more,
      env: { ...more.env, SCRIPT: script },
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What a worker writes, and a way to wait for a line of it. */
export function listen(worker: LaunchedWorker) {
  const lines: WorkerLine[] = []
  const waiting = new Set<() => void>()
  worker.onLine((line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const texts = (source: WorkerLine['source']) =>
    lines.filter((line) => line.source === source).map(({ text }) => text)
  /** Rejects when the worker ends without it. */
  const heard = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (lines.some((line) => line.text.includes(text))) resolve()
      }
      waiting.add(look)
      look()
      void worker.exited.then((exit) => {
        look()
        reject(new Error(`"${text}" never came: ${JSON.stringify({ exit, lines: lines.slice(-20) })}`))
      })
    })
  return { texts, heard }
}
