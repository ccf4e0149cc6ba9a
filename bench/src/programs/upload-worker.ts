import { start } from 'unplugin-flash/worker'

await start({
  maxBodyBytes: 1_000_000_000,
  async fetch({ body }) {
    let bytes = 0
    for await (const chunk of body ?? []) bytes += chunk.length
    return Response.json({ bytes })
  },
})
