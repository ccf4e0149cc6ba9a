import { readdirSync, readFileSync } from 'node:fs'

const GONE_WITHIN_MS = 1_000
const LOOK_MS = 10

/** Sends a signal to a process and all of its group; says whether anybody was there. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}

/**
 * Kills every process that has `HOME=<home>` among the variables it was started with: those that left the group of the
 * one that started them too. Where the system does not tell (no `/proc`), there is nothing to find.
 */
export function killByHome(home: string): void {
  for (const pid of findByHome(home)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Resolves when no process of the group runs any more, at the latest after a second: a killed one may hang in the system. */
export async function groupGone(pid: number): Promise<void> {
  const until = Date.now() + GONE_WITHIN_MS
  while (signalGroup(pid, 0) && hasLiving(pid) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Dead ones count as long as nobody asks for their exit code, which in a container may be for ever. */
function hasLiving(group: number): boolean {
  const processes = listProcesses()
  return processes.length === 0 || processes.some((pid) => isLivingMember(readOf(pid, 'stat'), group))
}

/** `12 (name) S 1 <group> …`; a name may have spaces and brackets. */
function isLivingMember(stat: string, group: number): boolean {
  const [state, , of] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return of === String(group) && state !== 'Z' && state !== 'X'
}

function findByHome(home: string): number[] {
  const wanted = `\0HOME=${home}\0`
  return listProcesses().filter(
    (pid) => pid !== process.pid && `\0${readOf(pid, 'environ')}\0`.includes(wanted),
  )
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** Empty for a process of somebody else, and for one that is gone. */
function readOf(pid: number, what: 'environ' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1')
  } catch {
    return ''
  }
}
