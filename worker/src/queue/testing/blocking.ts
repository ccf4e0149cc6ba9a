import { serveQueue } from '../serve.ts'

// A worker whose function keeps the event loop from turning for as many milliseconds as its input says.
process.exitCode = await serveQueue({
  env: process.env,
  version: '9.9.9',
  runner: {
    async run({ input }) {
      const end = Date.now() + Number(input)
      while (Date.now() < end);
      return { json: '{"output":"awake"}', streamed: false }
    },
    concurrency: () => 1,
    close: async () => {},
  },
})
