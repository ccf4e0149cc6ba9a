import type { Demo } from '../demo.ts'
import { greet } from '../remote/async-function.ts'
import { tell } from '../remote/async-generator.ts'
import { add } from '../remote/sync-function.ts'
import { countDown } from '../remote/sync-generator.ts'

export const functions: Demo[] = [
  {
    id: 'async-function',
    title: 'Async function',
    about: 'The body runs in a worker process; the page has a stub with the same type.',
    files: ['remote/async-function.ts'],
    call: 'await greet(name)',
    fields: [{ name: 'name', label: 'Name', value: 'Ada' }],
    run: ({ field }) => greet(field('name')),
  },
  {
    id: 'sync-function',
    title: 'Sync function',
    about: 'Written without async, called with await.',
    files: ['remote/sync-function.ts'],
    call: 'await add(2, 40)',
    run: () => add(2, 40),
  },
  {
    id: 'async-generator',
    title: 'Async generator',
    about: 'Each item arrives when it is yielded. Leaving the loop ends the function.',
    files: ['remote/async-generator.ts'],
    call: 'for await (const word of tell(120))',
    stoppable: true,
    async run({ signal, write }) {
      for await (const word of tell(120)) {
        if (signal.aborted) break
        write(`${word} `)
      }
    },
  },
  {
    id: 'sync-generator',
    title: 'Sync generator',
    about: 'The same for a generator without async.',
    files: ['remote/sync-generator.ts'],
    call: 'for await (const left of countDown(5))',
    async run({ write }) {
      for await (const left of countDown(5)) write(`${left} `)
    },
  },
]
