import type { WorkerLink } from './link.ts'

export interface CrewOptions {
  /** How many workers there may be. */
  limit(): number
  launch(workerId: string): WorkerLink
}

/** The workers of one endpoint: which there are, and which of them may get more to do. */
export interface Crew {
  links(): WorkerLink[]
  /** Those that answer and stay. */
  usable(): WorkerLink[]
  hasRoom(): boolean
  start(): WorkerLink
  /** Ends those that leave and have nothing more to do. */
  endIdle(): void
  /** It is gone. */
  remove(link: WorkerLink): void
  retireOne(link: WorkerLink): void
  /** At once, whatever it does; until it is really gone it gets nothing to do. */
  end(link: WorkerLink): void
  /** Lets every worker finish what it does, then ends it. */
  retire(): void
  close(): void
}

/** Workers beside those that are stuck or about to end: each stuck one keeps a processor busy. */
const SPARE = 2

export function createCrew({ limit, launch }: CrewOptions): Crew {
  const links = new Set<WorkerLink>()
  const retiring = new Set<WorkerLink>()
  let sequence = 0
  const usable = () => [...links].filter((link) => !retiring.has(link) && !link.retired && !link.isStuck())
  const endIdle = () => {
    for (const link of links) if ((retiring.has(link) || link.retired) && link.calls === 0) link.kill()
  }
  return {
    links: () => [...links],
    usable,
    hasRoom: () => usable().length < limit() && links.size < limit() + SPARE,
    start() {
      const link = launch(`local-${++sequence}`)
      links.add(link)
      return link
    },
    endIdle,
    remove(link) {
      links.delete(link)
      retiring.delete(link)
    },
    retireOne: (link) => void retiring.add(link),
    end(link) {
      retiring.add(link)
      link.kill()
    },
    retire() {
      for (const link of links) retiring.add(link)
      endIdle()
    },
    close() {
      for (const link of links) link.kill()
      links.clear()
    },
  }
}

export function countWorkers(links: readonly WorkerLink[]): { idle: number; ready: number; running: number } {
  const running = links.filter((link) => link.calls > 0).length
  return { idle: links.length - running, ready: links.length - running, running }
}
