import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workerModule } from '../local/testing.ts'
import { classOf, createBundle, functionOf, type TestBundle } from './testing.ts'

const functions = [
  functionOf('say', ['name', 'loud?']),
  functionOf('fail', []),
  functionOf('items', ['n']),
  functionOf('loop', []),
  functionOf('exit', []),
  functionOf('timer', []),
  functionOf('wait', []),
  functionOf('count', ['a?'], { setup: 'src/a.ts#setup' }),
  functionOf('variables', []),
  classOf('Model', { ask: ['question'] }),
]

let bundle: TestBundle
let broken: TestBundle
beforeAll(async () => {
  bundle = await createBundle(
    {
      'helper.ts': `interface Unused {}
export function fail(): never {
  throw new TypeError('from the helper')
}
`,
      'a.ts': workerModule(`import { fail } from './helper.ts'
console.log('loading')
const define = (id: string, body: unknown, config = {}) => __flash_define(__flash_functions, id + '-id', config, body)
define('say', async (name: string, loud?: boolean) => {
  console.log('saying', name)
  console.error('to stderr')
  return loud ? name.toUpperCase() : name
})
define('fail', () => fail())
define('items', function* (n: number) { for (let i = 0; i < n; i++) yield { i } })
define('loop', () => { for (;;); })
define('exit', () => process.exit(3))
define('timer', () => new Promise(() => setTimeout(() => fail(), 5)))
define('wait', () => new Promise(() => {}))
let made = 0
define('count', (_: unknown, state: { made: number }) => state, { setup: () => ({ made: ++made }) })
define('variables', () => ({ channel: process.env.FLASH_WORKER_CHANNEL ?? null, a: process.env.A ?? null }))
define('Model', class { constructor(readonly name: string) {} ask(question: string) { return this.name + ': ' + question } })
`),
    },
    functions,
  )
  broken = await createBundle(
    {
      'first.ts': `export const fail = (): never => {
  throw new RangeError('top of the module')
}
`,
      'a.ts': workerModule(`import { fail } from './first.ts'
if (process.env.MISSING) await import(process.env.MISSING)
fail()
`),
    },
    [functionOf('say', ['name'])],
    { node: 99 },
  )
})
afterAll(() => {
  bundle.close()
  broken.close()
})

const job = (input: unknown) => ['--test-input', JSON.stringify({ input })]
const call = (fn: string, input: object = {}) => ({ 'flash:call': { v: 1, fn }, ...input })

describe('--test-input', () => {
  test('prints one line on stdout, and what the function prints on stderr', async () => {
    const ran = await bundle.run(job(call('say', { name: 'you', loud: true })))
    expect(ran).toEqual({
      code: 0,
      stdout: '{"output":"YOU"}\n',
      stderr: 'loading\nsaying you\nto stderr\n',
    })
  })

  test('reads the file of the working folder', async () => {
    writeFileSync(join(bundle.root, 'test_input.json'), JSON.stringify({ input: { method: 'items', n: 2 } }))
    expect(await bundle.run(['--test-input'])).toMatchObject({
      code: 0,
      stdout: '{"output":[{"i":0},{"i":1}]}\n',
    })
  })

  test('names the lines the author wrote, in the answer and for people', async () => {
    const { code, stdout, stderr } = await bundle.run(job(call('fail')))
    const place = `at fail (${join(bundle.root, 'src/helper.ts')}:3:9)`
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error.stack).toContain(place)
    expect(stderr).toContain(place)
  })

  test('answers for modules that do not load, with their place', async () => {
    const { code, stdout, stderr } = await broken.run(job({ name: 'you' }))
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'MODULE_FAILED',
      message: 'the bundle could not be loaded: top of the module',
      data: { at: { file: 'src/first.ts', line: 2, column: 9 } },
      cause: {
        name: 'RangeError',
        stack: expect.stringContaining(`${join(broken.root, 'src/first.ts')}:2:9`),
      },
    })
    expect(stderr).toContain('at src/first.ts:2:9')
  })

  test('answers for a package that is not installed', async () => {
    const { stdout } = await broken.run(job({ name: 'you' }), { env: { MISSING: 'not-installed/part' } })
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'DEPENDENCY_NOT_INSTALLED',
      hint: 'run: npm install not-installed',
    })
  })

  for (const [fn, error] of [
    ['exit', { code: 'WORKER_CRASHED', message: 'the process ended with code 3 before the function did' }],
    ['timer', { name: 'TypeError', message: 'from the helper' }],
  ] as const) {
    test(`answers for a function that ends its process (${fn})`, async () => {
      const { code, stdout } = await bundle.run(job(call(fn)))
      expect(code).toBe(1)
      expect(JSON.parse(stdout).error).toMatchObject(error)
    })
  }

  test('a result is whole, however large', async () => {
    const name = 'x'.repeat(100_000)
    writeFileSync(join(bundle.root, 'large.json'), JSON.stringify({ input: call('say', { name }) }))
    const { stdout } = await bundle.run(['--test-input=large.json'])
    expect(JSON.parse(stdout).output).toBe(name)
  })

  test('a job that names no function is bad usage', async () => {
    const { code, stdout, stderr } = await bundle.run(job({}))
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/names none\n {2}add .*say, fail, .*, Model\.ask\n$/)
  })
})

test('a bundle with a queue that is started by itself says what it can do', async () => {
  const { code, stdout, stderr } = await bundle.run([])
  expect([code, stdout]).toEqual([2, 'loading\n'])
  expect(stderr).toMatch(/^flash: NOT_AVAILABLE: /m)
})

describe('as a worker', () => {
  test('calls are answered over the pipe, with what they print', async () => {
    const { parent, printed } = bundle.serve({ A: '1' })
    await parent.hear('ready')
    expect(await parent.call('say-id', ['you', true])).toBe('YOU')
    expect(parent.output(1)).toBe('saying you\nto stderr\n')
    expect(printed).toEqual({ stdout: 'loading\n', stderr: '' })
    expect(await parent.call('variables-id')).toEqual({ channel: null, a: '1' })
  })

  test('a class keeps its instances, and a state is made once without asking for its version', async () => {
    const { parent } = bundle.serve()
    const shape = { kind: 'class', callables: [{ name: 'ask', params: null }], takesObject: false } as const
    const input = { args: ['why'], 'flash:call': { v: 1, fn: 'ask', new: ['small'] } } as const
    expect(await parent.call('Model-id', [], { shape, input: { ...input, args: ['why'] } as never })).toBe(
      'small: why',
    )
    const setup = 'src/a.ts#setup'
    expect(await parent.call('count-id', [1], { setup })).toEqual({ made: 1 })
    expect(await parent.call('count-id', [1], { setup })).toEqual({ made: 1 })
    expect(parent.said.some(({ t }) => t === 'request')).toBe(false)
  })

  test('an error names the lines the author wrote', async () => {
    const { parent } = bundle.serve()
    const error: any = await parent.call('fail-id').catch((caught) => caught)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.stack).toContain(`at fail (${join(bundle.root, 'src/helper.ts')}:3:9)`)
  })

  test('every call is told why the modules do not load', async () => {
    const { parent, printed } = broken.serve()
    for (let n = 0; n < 2; n++) {
      await expect(parent.call('say-id', ['you'])).rejects.toMatchObject({
        code: 'MODULE_FAILED',
        data: { at: { file: 'src/first.ts', line: 2, column: 9 } },
      })
    }
    expect(printed.stderr).toBe('')
  })

  for (const [fn, code, stderr] of [
    ['exit', 3, /^$/],
    ['timer', 1, /TypeError: from the helper\n    at .*helper\.ts:3:9/],
  ] as const) {
    test(`a function that ends its process (${fn}) ends it with code ${code}`, async () => {
      const { parent, exit, printed } = bundle.serve()
      void parent.call(`${fn}-id`)
      expect(await exit).toEqual({ code, signal: null })
      expect(printed.stderr).toMatch(stderr)
    })
  }

  test('Ctrl+C is left to the host, and the process ends when the pipe closes', async () => {
    const { parent, child, pipe, exit } = bundle.serve()
    await parent.hear('ready')
    child.kill('SIGINT')
    void parent.call('wait-id')
    await parent.hear('started')
    pipe.destroy()
    expect(await exit).toEqual({ code: 0, signal: null })
  })

  test('a blocked process ends when its host was killed', async () => {
    const start = { t: 'start', root: bundle.root, endpoint: 'e', unnamed: [] }
    const loop = {
      t: 'call',
      call: 1,
      jobId: 'j',
      attempt: 1,
      deadline: null,
      fn: 'loop-id',
      module: 'main.mjs',
      input: {},
      shape: { kind: 'function', callables: [], takesObject: false },
      foreign: false,
      setup: null,
      endpoint: 'e',
      instances: 1,
    }
    const host = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { spawn } from 'node:child_process'
         import { encodeMessage } from '@flash/protocol'
         const child = spawn(process.execPath, [${JSON.stringify(bundle.main)}], {
           env: { FLASH_WORKER_CHANNEL: '3' }, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
         for (const message of ${JSON.stringify([start, loop])})
           child.stdio[3].write(encodeMessage({ type: 17, rich: false, text: JSON.stringify(message), parts: [] }))
         child.stdio[3].once('data', () => setTimeout(() => console.log(child.pid), 200))`,
      ],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const pid = await new Promise<number>((found) => host.stdout.on('data', (text) => found(Number(text))))
    const isAlive = () => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    }
    expect(isAlive()).toBe(true)
    host.kill('SIGKILL')
    const until = Date.now() + 10_000
    while (isAlive() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
    const alive = isAlive()
    if (alive) process.kill(pid, 'SIGKILL')
    expect(alive).toBe(false)
  })
})
