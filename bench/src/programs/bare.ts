import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerBare } from './bare-answer.ts'
import { answerParent } from './parent.ts'

const server = createServer((request, response) => void answerBare(request, response))
server.listen(0, '127.0.0.1', () => {
  answerParent({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pid: process.pid })
})
