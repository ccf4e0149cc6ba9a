import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atEnd } from './cleanup.ts'

const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--remote-debugging-port=0',
]

export function findChromium(): string | undefined {
  return [process.env.CHROMIUM, '/usr/bin/chromium'].find((path) => path && existsSync(path))
}

/**
 * Opens a page that reports by itself; the result ends the browser.
 *
 * No test driver is attached, because one that watches the network slows down large bodies.
 */
export function openChromium(executable: string, url: string): () => Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'flash-bench-browser-'))
  const child = spawn(executable, [...flags, `--user-data-dir=${profile}`, url], { stdio: 'ignore' })
  const erase = () => rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  const forget = atEnd(() => {
    child.kill('SIGKILL')
    erase()
  })
  const ended = once(child, 'exit')
  return async () => {
    child.kill()
    await ended
    erase()
    forget()
  }
}
