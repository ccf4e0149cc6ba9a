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

/** CPU time in microseconds that a process has used so far, in steps of 10 ms; `null` where the system does not tell. */
export function cpuMicros(pid: number): number | null {
  try {
    // The second field is a name, which may have spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  } catch {
    return null
  }
}
