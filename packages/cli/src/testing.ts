import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sealFacts } from '@flash/server'
import type { Io, StopSignal } from './io.ts'

const key = new Uint8Array(32).fill(5)

export const env = { FLASH_KEY: Buffer.from(key).toString('base64url') }

/** A built app in a folder of its own; `remove` takes it away. */
export function createApp(files: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'flash-cli-'))
  const facts = {
    app: 'shop',
    prefix: '/_flash',
    functions: [],
    appType: 'spa' as const,
    maxBodyBytes: 10_000_000,
  }
  const all = {
    'dist/index.html': '<title>shop</title>',
    'dist/.flash-facts': sealFacts(facts, key),
    ...files,
  }
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** A terminal that remembers what it shows, and signals that come when the test says so. */
export function createTestIo(cwd: string, own: Record<string, string> = {}) {
  const printed: string[] = []
  const warned: string[] = []
  const exits: number[] = []
  let now = 0
  let heard = (_signal: StopSignal) => {}
  let wake = () => {}
  const io: Io = {
    cwd,
    env: { ...env, PORT: '0', HOST: '127.0.0.1', ...own },
    print(line) {
      printed.push(line)
      wake()
    },
    warn: (line) => void warned.push(line),
    onSignal: (listener) => void (heard = listener),
    exit: (code) => void exits.push(code),
    now: () => now,
  }
  return {
    io,
    printed,
    warned,
    exits,
    /** Resolves when something was printed. */
    untilPrinted: () =>
      printed.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => (wake = resolve)),
    signal(afterMs = 0, signal: StopSignal = 'SIGINT') {
      now += afterMs
      heard(signal)
    },
  }
}
