import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { X509Certificate } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createCertificate } from './certificate.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

test('a client that trusts the authority reaches the server by each name, and by no other', async () => {
  const { key, cert, ca } = createCertificate(['localhost', '*.data.localhost'], ['127.0.0.1'])
  const server = createServer({ key, cert }, (_, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const ask = (servername: string | undefined) =>
    new Promise<string>((resolve, reject) => {
      const host = servername === undefined ? {} : { servername, headers: { host: servername } }
      get({ host: '127.0.0.1', port, ca, agent: false, ...host }, (answer) => {
        answer.setEncoding('utf8').on('data', resolve)
      }).on('error', reject)
    })
  expect(await ask(undefined)).toBe('hello')
  expect(await ask('localhost')).toBe('hello')
  expect(await ask('abc.data.localhost')).toBe('hello')
  await expect(ask('example.com')).rejects.toThrow(/does not match certificate/)
})

test('both certificates say what they are for', () => {
  const { cert, ca } = createCertificate(['localhost'], ['127.0.0.1'])
  const [server, authority] = [new X509Certificate(cert), new X509Certificate(ca)]
  expect([authority.ca, server.ca]).toEqual([true, false])
  expect(server.verify(authority.publicKey)).toBe(true)
  expect(server.checkIssued(authority)).toBe(true)
  expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1')
  expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(Date.parse(server.validTo)).toBeGreaterThan(Date.now() + 80 * 86_400_000)
})
