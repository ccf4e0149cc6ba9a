import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClock } from '@flash/protocol'
import { onTestFinished } from 'vitest'
import { createAccount } from '../index.ts'
import type { AccountOptions } from '../index.ts'
import type { Account } from '../types.ts'
import { createFakeEndpoints } from './endpoints.ts'

export const KEY = 'rpa_test'
export const BASE = 'http://127.0.0.1:4711'

export interface Reply {
  status: number
  headers: Headers
  /** The parsed body; its text when it is no JSON. */
  body: any
}

/** An account over endpoints that only note what they are told, and the ways clients talk to it. */
export async function createWorld(options: Partial<AccountOptions> = {}) {
  const clock = createTestClock(Date.UTC(2026, 10, 20, 12))
  const endpoints = createFakeEndpoints(() => clock.now())
  const folder = await mkdtemp(join(tmpdir(), 'account-'))
  const account = createAccount({ endpoints, clock, apiKey: KEY, url: () => BASE, folder, ...options })
  onTestFinished(async () => {
    await account.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { clock, endpoints, folder, account, ...createClient(account) }
}

export type World = Awaited<ReturnType<typeof createWorld>>

function createClient(account: Account) {
  const send = async (path: string, init: RequestInit = {}): Promise<Reply> => {
    const headers = { authorization: `Bearer ${KEY}`, ...(init.headers as Record<string, string>) }
    const url = path.startsWith('http') ? path : `${BASE}${path}`
    const response = await account.fetch(new Request(url, { ...init, headers }))
    if (!response) throw new Error(`nobody answers ${path}`)
    return { status: response.status, headers: response.headers, body: parse(await response.text()) }
  }
  const rest = (method: string, path: string, body?: unknown) =>
    send(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    })
  /** The body of an answer to a query. */
  const ask = async (query: string, variables?: object) => {
    const { status, body } = await rest('POST', '/graphql', { query, ...(variables && { variables }) })
    return { status, ...body } as { status: number; data?: any; errors?: { message: string }[] }
  }
  /** The data of an answer that has no errors. */
  const graphql = async (query: string, variables?: object) => {
    const { data, errors } = await ask(query, variables)
    if (errors) throw new Error(errors.map(({ message }) => message).join('; '))
    return data
  }
  return { send, rest, ask, graphql }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
