import { runsInServer } from '@flash/protocol'
import { compareDemand, type Demand, findDemand } from './demand.ts'
import { known, type ProjectState } from './state.ts'

export interface Demands {
  demand(name: string): Promise<Demand>
  changedDemand(): Promise<string[]>
}

/** What each worker wants of files with functions; computed when it is first asked for, and again after edits. */
export function createDemands(state: ProjectState): Demands {
  const kept = new Map<string, Promise<Demand>>()
  const compute = (name: string) => {
    const entries = known(state).filter(({ fact }) => fact.endpoint === name && !runsInServer(fact))
    return findDemand({
      host: state.context.host,
      analysisOf: (file) => state.files.get(file)?.analysis ?? null,
      keeps: (fact) => fact.endpoint === name,
      entries: [...new Set(entries.map(({ reading }) => reading.analysis.parsed.file))],
    })
  }
  const demand = (name: string) => {
    const before = kept.get(name)
    if (before) return before
    const made = compute(name)
    kept.set(name, made)
    // What does not parse now may do so after the next edit.
    made.catch(() => kept.delete(name))
    return made
  }
  return {
    demand,
    async changedDemand() {
      const names = [...kept.keys()]
      const changes = names.map(async (name) => {
        const last = kept.get(name)!
        const before = await last
        kept.delete(name)
        try {
          return compareDemand(before, await demand(name))
        } catch (error) {
          // What does not parse for the moment is compared after the fix with what workers were told last.
          kept.set(name, last)
          throw error
        }
      })
      const results = await Promise.allSettled(changes)
      return [...new Set(results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])))]
    },
  }
}
