import { systemClock } from '@flash/protocol'
import { parseEnvironment } from '../environment.ts'
import { startHeartbeat } from '../heartbeat.ts'

// A worker without jobs whose event loop does not turn for three seconds, and then does.
const environment = parseEnvironment(process.env)
startHeartbeat({
  ping: environment.ping!,
  authorization: environment.authorization!,
  userAgent: 'test',
  version: '9.9.9',
  clock: systemClock,
  log: { info() {}, warn() {}, error() {}, output() {} },
  deadAfterMs: { idle: 500, busy: 500 },
})
await new Promise((resolve) => setTimeout(resolve, 200))
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
