import { Worker } from 'node:worker_threads'

/**
 * Ends this process when the one that started it is gone, also while a function keeps the event loop from turning:
 * the closed pipe would not be noticed then.
 */
export function watchParent(): void {
  const watch = new Worker(
    `const parent = ${process.ppid}
     const isGone = () => {
       if (process.platform !== 'win32') return process.ppid !== parent
       try { process.kill(parent, 0) } catch { return true }
       return false
     }
     setInterval(() => { if (isGone()) process.kill(process.pid, 'SIGKILL') }, 1000)`,
    {
      eval: true,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    },
  )
  // Out of memory or out of threads: the closed pipe still ends the process.
  watch.on('error', () => {})
  watch.unref()
}
