// Hand-written workers: `node worker.mjs KIND`.
import { start } from 'unplugin-flash/worker'

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })

const handlers = {
  async answer({ input }, { signal }) {
    if (input.fail) throw new TypeError(input.fail)
    await pause(input.pauseMs ?? 0, signal)
    return { text: input.text }
  },
  async *count({ input }) {
    for (let at = 1; at <= input.to; at++) yield at
  },
}

await start({ handler: handlers[process.argv[2]] })
