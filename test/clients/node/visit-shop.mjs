// Calls an app that the Python SDK deployed, as TypeScript would; prints what came of it.
import { endpoint } from 'unplugin-flash'

const of = (name) => endpoint({ app: 'shop', name })
const codeOf = (call) => call.then(String, ({ code, data }) => [code, data?.status].filter(Boolean).join(' '))

const seen = { run: await of('greet').runSync({ name: 'Ann', times: 2 }), stream: [] }

const counting = await of('count').run({ to: 3 })
for await (const item of counting.stream()) seen.stream.push(item)

const long = await of('count').run({ to: 1, pause: 60 })
await long.cancel()
seen.cancel = (await long.status()).status

seen.error = await of('refuse')
  .runSync({ reason: 'snow' })
  .catch(({ message }) => message)
seen.missing = await codeOf(of('nothing').runSync({ name: 'Ann' }))

const front = of('Front')
seen.post = await front.post('/visit', { body: { name: 'Eve' } })
seen.noRoute = await codeOf(front.get('/nowhere'))

console.log(JSON.stringify(seen))
