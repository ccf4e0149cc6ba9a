import type { Demo } from '../demo.ts'
import { Account } from '../remote/class.ts'
import { quote } from '../remote/schema.ts'
import { findCapital } from '../remote/setup.ts'

export const state: Demo[] = [
  {
    id: 'class',
    title: 'Class',
    about:
      'new sends nothing; each method call carries the constructor arguments. Run it again: the instance is still there.',
    files: ['remote/class.ts'],
    call: "await new Account('Ada', 100).deposit(25)",
    run: () => new Account('Ada', 100).deposit(25),
  },
  {
    id: 'setup',
    title: 'Setup state',
    about: 'The first call waits for the setup; the next ones find its state, with the same loading time.',
    files: ['remote/setup.ts'],
    call: 'await findCapital(country)',
    fields: [{ name: 'country', label: 'Country', value: 'Japan' }],
    run: ({ field }) => findCapital(field('country')),
  },
  {
    id: 'schema',
    title: 'Input and output schema',
    about: 'Any Standard Schema does; here it is zod. Try a quantity of 0.',
    files: ['remote/schema.ts'],
    call: "await quote({ item: 'rolls', quantity })",
    fields: [{ name: 'quantity', label: 'Quantity', value: '12', type: 'number' }],
    run: ({ field }) => quote({ item: 'rolls', quantity: Number(field('quantity')) }),
  },
]
