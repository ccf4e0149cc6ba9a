import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onExit } from '@flash/emulator'
import type { LocalRuntime } from '@flash/runtime'
import { stateFolder } from '@flash/server'

const registry = Symbol.for('unplugin-flash.dev')

/** What server code in this process finds, keyed by project root. */
export function devEntries(): Map<string, LocalRuntime> {
  const holder = globalThis as unknown as Record<symbol, Map<string, LocalRuntime> | undefined>
  return (holder[registry] ??= new Map())
}

/** Tells other processes of this machine where the runtime listens: `.flash/dev.json`, readable by its owner only. */
export function announce(root: string, address: { url: string; token: string }): () => void {
  const file = join(stateFolder(root), 'dev.json')
  writeFileSync(file, `${JSON.stringify({ ...address, pid: process.pid, root }, null, 2)}\n`, { mode: 0o600 })
  // Another server of the project may have announced itself since.
  const withdraw = () => {
    if (existsSync(file) && readFileSync(file, 'utf8').includes(address.token)) rmSync(file, { force: true })
  }
  const forget = onExit(withdraw)
  return () => {
    forget()
    withdraw()
  }
}
