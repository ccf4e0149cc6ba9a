import type { Demo } from '../demo.ts'
import { waitFor } from '../remote/abort.ts'
import { withdraw } from '../remote/error.ts'
import { bake } from '../remote/job.ts'
import { square } from '../remote/map.ts'

export const calls: Demo[] = [
  {
    id: 'job',
    title: 'Job with progress',
    about: 'run() answers with a job that goes on by itself and tells what happens to it.',
    files: ['remote/job.ts'],
    call: 'for await (const event of await bake.run(5))',
    stoppable: true,
    async run({ progress, signal, write }) {
      const job = await bake.with({ signal }).run(5)
      for await (const event of job) {
        if (event.type === 'status') write(`status ${event.status}\n`)
        if (event.type === 'log') write(`log ${event.text.trimEnd()}\n`)
        if (event.type !== 'progress') continue
        const { done, total } = event.value as { done: number; total: number }
        progress(done, total)
      }
      return job.wait()
    },
  },
  {
    id: 'abort',
    title: 'Abort',
    about: 'An aborted signal cancels the job, in the queue or in the middle of its work.',
    files: ['remote/abort.ts'],
    call: 'await waitFor.with({ signal })(30)',
    stoppable: true,
    run: ({ signal }) => waitFor.with({ signal })(30),
  },
  {
    id: 'error',
    title: 'Error with data',
    about: 'What the function throws is thrown at the call, with its code and data. Try 60.',
    files: ['remote/error.ts'],
    call: 'await withdraw(amount)',
    fields: [{ name: 'amount', label: 'Amount', value: '250', type: 'number' }],
    run: ({ field }) => withdraw(Number(field('amount'))),
  },
  {
    id: 'map',
    title: 'Map',
    about: 'One call for each item, four at a time, results in the order of the items.',
    files: ['remote/map.ts'],
    call: 'await square.map([1, 2, 3, 4, 5, 6, 7, 8], { concurrency: 4 })',
    run: () => square.map([1, 2, 3, 4, 5, 6, 7, 8], { concurrency: 4 }),
  },
]
