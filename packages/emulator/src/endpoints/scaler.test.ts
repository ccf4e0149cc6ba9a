import { expect, test } from 'vitest'
import { type Demand, type Scaling, wantedWorkers } from './scaler.ts'

const settings: Scaling = {
  workersMin: 0,
  workersMax: 5,
  workersStandby: 0,
  scaling: { by: 'queueDelay', seconds: 4 },
}
const calm: Demand = { wanting: 0, overdue: 0, running: 0, busy: 0 }
const requests = (count: number) => ({ scaling: { by: 'requestCount', requests: count } }) as const

for (const [what, given, demand, wanted] of [
  ['nothing to do', {}, {}, 0],
  ['nothing to do, but a minimum', { workersMin: 2 }, {}, 2],
  ['nothing to do, but a standby beyond the minimum', { workersMin: 1, workersStandby: 2 }, {}, 3],
  ['the first job starts a worker at once', {}, { wanting: 1 }, 1],
  ['many young jobs start one', {}, { wanting: 9 }, 1],
  ['a job that waits beside a busy worker waits for its turn', {}, { wanting: 1, running: 1, busy: 1 }, 1],
  ['one that waited too long', {}, { wanting: 1, overdue: 1, running: 1, busy: 1 }, 2],
  ['three that waited too long', {}, { wanting: 4, overdue: 3, running: 1, busy: 1 }, 4],
  ['no more than the maximum', {}, { wanting: 99, overdue: 99, busy: 3, running: 3 }, 5],
  ['a minimum above what is needed', { workersMin: 3 }, { wanting: 1, overdue: 1 }, 3],
  ['a standby beyond what works', { workersStandby: 1 }, { running: 2, busy: 2 }, 3],
  ['a standby never passes the maximum', { workersStandby: 9 }, { running: 2, busy: 2 }, 5],
  ['a maximum of none', { workersMax: 0 }, { wanting: 3, overdue: 3 }, 0],
  ['a minimum above the maximum', { workersMin: 9 }, {}, 5],
  ['requests: none', requests(4), {}, 0],
  ['requests: one', requests(4), { wanting: 1 }, 1],
  ['requests: waiting and running together', requests(4), { wanting: 3, running: 6 }, 3],
  ['requests: exactly full', requests(4), { wanting: 4, running: 4 }, 2],
  ['requests: waiting long changes nothing', requests(4), { wanting: 4, overdue: 4 }, 1],
  ['requests: no more than the maximum', requests(1), { wanting: 99 }, 5],
] as const) {
  test(`wanted workers: ${what}`, () =>
    expect(wantedWorkers({ ...settings, ...given }, { ...calm, ...demand })).toBe(wanted))
}
