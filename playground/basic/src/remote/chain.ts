import { remote } from 'unplugin-flash'
import { add } from './sync-function.ts'
import { greet } from './async-function.ts'

// Runs on its own worker; what it calls runs where it always does.
export const welcome = remote({ cpu: 'cpu3g-2-8' }, async (names: string[]) => ({
  here: process.pid,
  guests: await add(names.length, 1),
  greetings: await Promise.all(names.map((name) => greet(name))),
}))
