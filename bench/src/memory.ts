import { readFileSync } from 'node:fs'

/** Megabytes of memory that a process has now; `null` where the system does not tell. */
export function residentMb(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return (Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024) / 1e6
  } catch {
    return null
  }
}
