import { expect, test } from 'vitest'
import { createLog } from './log.ts'

function setUp(env: Record<string, string> = {}, endpointId?: string) {
  const lines: string[] = []
  const log = createLog({
    env,
    endpointId,
    secrets: ['my-secret-key'],
    write: (line) => void lines.push(line),
  })
  return { lines, log }
}

test('lines are text without an endpoint, and JSON with one', () => {
  const text = setUp()
  text.log.info('hello')
  text.log.warn('hello', 'job')
  expect(text.lines).toEqual(['INFO    | hello\n', 'WARN    | job | hello\n'])
  const json = setUp({}, 'ep')
  json.log.error('hello')
  expect(json.lines).toEqual(['{"requestId":null,"message":"hello","level":"ERROR"}\n'])
})

for (const [env, levels] of [
  [{}, ['INFO', 'WARN', 'ERROR']],
  [{ RUNPOD_LOG_LEVEL: 'warn', RUNPOD_DEBUG_LEVEL: 'ERROR' }, ['WARN', 'ERROR']],
  [{ RUNPOD_DEBUG_LEVEL: 'ERROR' }, ['ERROR']],
  [{ RUNPOD_LOG_LEVEL: 'NOTSET' }, []],
  [{ RUNPOD_LOG_LEVEL: 'loud' }, ['INFO', 'WARN', 'ERROR']],
] as const) {
  test(`${JSON.stringify(env)} shows ${levels.join(', ') || 'nothing'}`, () => {
    const { lines, log } = setUp(env)
    log.info('x')
    log.warn('x')
    log.error('x')
    expect(lines.map((line) => line.split(' ')[0])).toEqual(levels)
  })
}

test('output of jobs is shown whatever the level', () => {
  const { lines, log } = setUp({ RUNPOD_LOG_LEVEL: 'NOTSET' })
  log.output('stdout', 'a\n', 'job')
  expect(lines).toEqual(['INFO    | job | a\n'])
})

test('a long message keeps both ends', () => {
  const { lines, log } = setUp()
  log.info(`${'a'.repeat(3_000)}${'b'.repeat(3_000)}`)
  expect(lines[0]).toMatch(/^INFO {4}\| a{2048}\n… 1904 characters left out …\nb{2048}\n$/)
})

test('the key is not written', () => {
  const { lines, log } = setUp()
  log.error('refused: my-secret-key')
  expect(lines.join('')).not.toContain('my-secret-key')
})
