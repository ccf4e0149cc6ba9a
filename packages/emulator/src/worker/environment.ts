import { workerPaths, workerVariables as names } from '@flash/protocol'
import type { EndpointSpec } from '../endpoints/types.ts'

export interface WorkerSurroundings {
  /** Where the worker reaches the emulator: `http://127.0.0.1:41234` */
  url: string
  /** What it shows on the worker plane. */
  key: string
}

const PING_MS = 4_000

/** The variables of a worker, the platform's last: whatever a client sent, its calls go nowhere else. */
export function createWorkerEnv(
  spec: EndpointSpec,
  workerId: string,
  { url, key }: WorkerSurroundings,
): Record<string, string> {
  const platform = {
    [names.endpoint]: spec.id,
    [names.worker]: workerId,
    [names.hostname]: workerId,
    RUNPOD_DC_ID: spec.dataCenterId,
    RUNPOD_GPU_COUNT: String(spec.gpuCount),
    RUNPOD_API_BASE_URL: url,
    RUNPOD_ENDPOINT_BASE_URL: `${url}/v2`,
    RUNPOD_REST_API_URL: `${url}/v1`,
    RUNPOD_HAPI_URL: url,
    // Its checks want 4 GB of free memory and the internet.
    RUNPOD_SKIP_GPU_CHECK: 'true',
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
  }
  if (spec.kind === 'balanced') return { PORT: '80', PORT_HEALTH: '80', ...spec.env, ...platform }
  return { ...spec.env, ...platform, ...queueVariables(`${url}/v2/${spec.id}`, workerId, key) }
}

/** Python's worker adds to the queries with `&`, whether or not there is one, and replaces `$ID` by the job's id. */
function queueVariables(base: string, workerId: string, key: string): Record<string, string> {
  const query = '?gpu=emulated'
  return {
    [names.key]: key,
    [names.take]: `${base}${workerPaths.take(workerId)}${query}`,
    [names.done]: `${base}${workerPaths.done(workerId, '$ID')}${query}`,
    [names.stream]: `${base}${workerPaths.stream(workerId, '$ID')}${query}`,
    [names.ping]: `${base}${workerPaths.ping(workerId)}`,
    [names.pingInterval]: String(PING_MS),
  }
}
