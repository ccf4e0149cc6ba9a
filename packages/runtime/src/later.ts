import type { Job } from './types.ts'

const generatorPrototype = /* @__PURE__ */ (() => Object.getPrototypeOf(async function* () {}).prototype)()

/** Methods of something that is made at its first use. */
function passTo(make: () => Promise<any>) {
  let made: Promise<any> | undefined
  return (name: string | symbol) => (value?: unknown) => (made ??= make()).then((it) => it[name](value))
}

/** An async generator whose making starts at its first use, as a generator's body does. */
export function laterGenerator(make: () => Promise<any>): AsyncGenerator<any, void> {
  const pass = passTo(make)
  return {
    __proto__: generatorPrototype,
    next: pass('next'),
    return: pass('return'),
    throw: pass('throw'),
  } as never
}

/** A job that sends nothing until it is used. */
export function laterJob(id: string, make: () => Promise<any>): Job {
  const pass = passTo(make)
  return {
    id,
    status: pass('status'),
    wait: pass('wait'),
    cancel: pass('cancel'),
    stream: () => laterGenerator(pass('stream')) as never,
    [Symbol.asyncIterator]: () => laterGenerator(pass(Symbol.asyncIterator)),
  }
}
