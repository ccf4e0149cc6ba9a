import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface WorkerPlane {
  /** Variables of a worker that shall work for it. */
  env: Record<string, string>
  /** What was posted for a job before its end, in order. */
  posted(id: string): unknown[]
  /** Gives a job out, and resolves with what was posted at its end. */
  run(id: string, input: unknown): Promise<any>
  close(): Promise<void>
}

/** A platform that gives jobs to workers and hears what becomes of them. */
export async function createWorkerPlane(): Promise<WorkerPlane> {
  const waiting: object[] = []
  const takers: ((job: object) => void)[] = []
  const posted = new Map<string, unknown[]>()
  const ended = new Map<string, (result: unknown) => void>()
  const server = createServer((request, response) => {
    const [, operation, , id] = request.url!.split('?')[0]!.split('/') as string[]
    const answer = (status: number, body?: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body === undefined ? undefined : JSON.stringify(body))
    }
    if (operation === 'job-stop') return void response.once('close', () => {})
    if (operation!.startsWith('job-take')) {
      const give = (job: object) => answer(200, operation === 'job-take' ? job : [job])
      const job = waiting.shift()
      return job ? give(job) : void takers.push(give)
    }
    void readJson(request).then((body) => {
      answer(200)
      const isProgress = body.status === 'IN_PROGRESS'
      if (operation === 'job-done' && !isProgress) return ended.get(id!)?.(body)
      posted.set(id!, [...(posted.get(id!) ?? []), body])
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    env: {
      RUNPOD_WEBHOOK_GET_JOB: `${url}/job-take/w1`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/job-done/w1/$ID`,
      RUNPOD_WEBHOOK_POST_STREAM: `${url}/job-stream/w1/$ID`,
      RUNPOD_POD_ID: 'w1',
      RUNPOD_AI_API_KEY: 'key-of-the-worker',
    },
    posted: (id) => posted.get(id) ?? [],
    run(id, input) {
      const job = { id, input }
      const taker = takers.shift()
      if (taker) taker(job)
      else waiting.push(job)
      return new Promise((resolve) => ended.set(id, resolve))
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readJson(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(String(Buffer.concat(chunks)))
}
