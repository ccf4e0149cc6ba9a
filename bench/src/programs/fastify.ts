import fastify from 'fastify'
import { price, type Order } from '../work.ts'
import { answerParent } from './parent.ts'

const app = fastify()
app.post('/order', (request) => price(request.body as Order))
app.post('/slow', async () => {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return { done: true }
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
answerParent({ url, pid: process.pid })
