import { expect, test } from 'vitest'
import { type Env, parseEnvironment } from './environment.ts'

const whole: Env = {
  RUNPOD_WEBHOOK_GET_JOB: 'https://api.test/v2/ep/job-take/$ID?gpu=NVIDIA+GeForce+RTX+4090',
  RUNPOD_WEBHOOK_POST_OUTPUT: 'https://api.test/v2/ep/job-done/$RUNPOD_POD_ID/$ID?gpu=x',
  RUNPOD_WEBHOOK_POST_STREAM: 'https://api.test/v2/ep/job-stream/$RUNPOD_POD_ID/$ID?gpu=x',
  RUNPOD_WEBHOOK_PING: 'https://api.test/v2/ep/ping/$RUNPOD_POD_ID',
  RUNPOD_AI_API_KEY: 'key',
  RUNPOD_POD_ID: 'w1',
}

test('placeholders are filled in, and queries are continued', () => {
  const environment = parseEnvironment(whole)
  const server = { isSecure: true, hostname: 'api.test', port: 443 }
  const gpu = 'gpu=NVIDIA+GeForce+RTX+4090'
  expect(environment.take(1, true)).toEqual({ server, path: `/v2/ep/job-take/w1?${gpu}&job_in_progress=1` })
  expect(environment.take(4, false).path).toBe(
    `/v2/ep/job-take-batch/w1?${gpu}&batch_size=4&job_in_progress=0`,
  )
  expect(environment.stop?.path).toBe(`/v2/ep/job-stop/w1?${gpu}`)
  expect(environment.done('j$&1', true).path).toBe('/v2/ep/job-done/w1/j%24%261?gpu=x&isStream=true')
  expect(environment.stream?.('j1').path).toBe('/v2/ep/job-stream/w1/j1?gpu=x&isStream=false')
  expect(environment.ping?.target({ a: 'b c' })).toEqual({ server, path: '/v2/ep/ping/w1?a=b+c' })
  expect(environment.ping?.intervalMs).toBe(10_000)
})

test('addresses without a query get one', () => {
  const environment = parseEnvironment({
    RUNPOD_WEBHOOK_GET_JOB: 'http://[::1]:8080/job-take/$RUNPOD_POD_ID',
    RUNPOD_WEBHOOK_POST_OUTPUT: 'http://[::1]:8080/job-done/$RUNPOD_POD_ID/$ID',
    RUNPOD_POD_ID: 'w$ID',
  })
  expect(environment.take(1, false)).toEqual({
    server: { isSecure: false, hostname: '::1', port: 8080 },
    path: '/job-take/w%24ID?job_in_progress=0',
  })
  expect(environment.done('j', false).path).toBe('/job-done/w%24ID/j?isStream=false')
  expect(environment.stream).toBeNull()
  expect(environment.authorization).toBeUndefined()
})

test('without an id a worker makes one up, and without an id or a key it sends no pings', () => {
  expect(parseEnvironment({ ...whole, RUNPOD_POD_ID: '' })).toMatchObject({
    workerId: expect.stringMatching(/^[\w-]{36}$/),
    ping: null,
  })
  expect(parseEnvironment({ ...whole, RUNPOD_AI_API_KEY: undefined }).ping).toBeNull()
  expect(parseEnvironment({ ...whole, RUNPOD_WEBHOOK_PING: undefined }).ping).toBeNull()
})

for (const [name, value, message] of [
  ['RUNPOD_WEBHOOK_GET_JOB', undefined, 'is not set'],
  ['RUNPOD_WEBHOOK_GET_JOB', '  ', 'is not set'],
  ['RUNPOD_WEBHOOK_GET_JOB', '/v2/ep/job-take/$ID', 'no http or https address: "/v2/ep/job-take/$ID"'],
  ['RUNPOD_WEBHOOK_GET_JOB', 'ftp://host/$ID', 'no http or https address'],
  ['RUNPOD_WEBHOOK_POST_OUTPUT', undefined, 'is not set'],
  ['RUNPOD_WEBHOOK_POST_OUTPUT', 'JOB_DONE_URL', 'has no $ID'],
  ['RUNPOD_WEBHOOK_POST_STREAM', 'http://', 'has no $ID'],
  ['RUNPOD_WEBHOOK_POST_STREAM', 'http://$ID:99999999', 'no http or https address'],
  ['RUNPOD_WEBHOOK_PING', 'ping', 'no http or https address'],
  ['RUNPOD_PING_INTERVAL', 'soon', '"soon"'],
  ['RUNPOD_PING_INTERVAL', '0', '"0"'],
  ['RUNPOD_PING_INTERVAL', '1.5', '"1.5"'],
  ['RUNPOD_PING_INTERVAL', '99999999999', '"99999999999"'],
  ['RUNPOD_AI_API_KEY', 'se\ncret', 'characters that no header can have'],
] as const) {
  test(`${name} = ${JSON.stringify(value)} is refused by its name`, () => {
    let error: unknown
    try {
      parseEnvironment({ ...whole, [name]: value })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'BAD_ENVIRONMENT' })
    expect((error as Error).message).toMatch(new RegExp(`^${name} `))
    expect((error as Error).message).toContain(message)
    expect((error as Error).message).not.toContain('cret')
  })
}
