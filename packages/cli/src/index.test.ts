import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { main } from './index.ts'
import { createApp, createTestIo, env } from './testing.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function app(files?: Record<string, string>): string {
  const { root, remove } = createApp(files)
  cleanUps.push(remove)
  return root
}

/** Runs a command that is not expected to last. */
async function run(args: string[], cwd = '/', variables: Record<string, string> = {}) {
  const { io, printed, warned } = createTestIo(cwd, variables)
  const code = await main(args, '1.2.3', io)
  return { code, printed: printed.join('\n'), warned: warned.join('\n') }
}

/** Starts an app, and stops it after the test. */
async function start(args: string[], cwd: string, variables: Record<string, string> = {}) {
  const terminal = createTestIo(cwd, variables)
  const code = main(['start', ...args], '1.2.3', terminal.io)
  cleanUps.push(async () => {
    terminal.signal()
    await code
  })
  await Promise.race([terminal.untilPrinted(), code])
  const url = /http:\/\/[^\s"]+/.exec(terminal.printed.join('\n'))?.[0] ?? ''
  return { ...terminal, code, url }
}

describe('flash', () => {
  for (const args of [[], ['--help'], ['-h']]) {
    test(`${args.join(' ') || 'alone'} lists the commands`, async () => {
      const { code, printed, warned } = await run(args)
      expect([code, warned]).toEqual([0, ''])
      expect(printed).toMatch(/flash v1\.2\.3[^]*COMMANDS[^]*emulator +Run[^]*start +Serve/)
    })
  }

  test.each(['--version', '-v'])('%s says the version and nothing else', async (flag) => {
    expect(await run([flag])).toEqual({ code: 0, printed: '1.2.3', warned: '' })
  })

  test.each(['deploy', 'toString', '__proto__', '--verbose', ''])('%j is no command', async (name) => {
    const { code, printed, warned } = await run([name])
    expect([code, printed]).toEqual([2, ''])
    expect(warned).toBe(`flash: there is no command "${name}"; there is: emulator, start`)
  })

  test('start --help lists its options', async () => {
    const { code, printed } = await run(['start', '--port', '1', '--help'])
    expect(code).toBe(0)
    for (const option of ['--port', '--host', '--dist', '--authorize', '--public', '--json'])
      expect(printed).toContain(option)
  })
})

describe('flash start refuses', () => {
  type Refusal = [args: string[], variables: Record<string, string>, code: number, warned: RegExp]
  const refusals: Refusal[] = [
    [['--prot', '80'], {}, 2, /no option --prot; there are: --port/],
    [['--no-open'], {}, 2, /no option --open/],
    [['dist'], {}, 2, /"dist" is one word too many/],
    [['--port'], {}, 2, /--port needs a value/],
    [['--port', '80a'], {}, 2, /the port is "80a"/],
    [['--port', '65536'], {}, 2, /the port is "65536"/],
    ...['no', '0', 'off', 'False', ''].map((value): Refusal => {
      return [[`--public=${value}`], {}, 2, new RegExp(`--public is "${value}"; give true or false`)]
    }),
    [['--port=-1'], {}, 2, /the port is "-1"/],
    [[], { PORT: 'http' }, 2, /the port is "http"; give --port or PORT a number/],
    [[], { PORT: '', HOST: '203.0.113.7' }, 1, /cannot listen at port 3000 of 203/],
    [['--public', '--authorize', 'x.mjs'], {}, 2, /exclude each other/],
    [['--authorize', 'nowhere.mjs'], {}, 1, /BAD_OPTION: nowhere\.mjs does not load[^]*the path of a/],
    [
      ['--authorize', 'broken.mjs'],
      {},
      1,
      /broken\.mjs does not load: no database \(.*\/broken\.mjs:2:7\)\n.*correct/,
    ],
    [
      ['--authorize', 'outer.mjs'],
      {},
      1,
      /outer\.mjs does not load: no database \(.*\/broken\.mjs:2:7\)\n.*correct/,
    ],
    [['--authorize', 'alone.mjs'], {}, 1, /alone\.mjs does not load: .*missing\.mjs[^]*correct the module/],
    [['--authorize', 'text.mjs'], {}, 1, /text\.mjs does not load: no words\n.*correct the module/],
    [['--authorize', 'empty.mjs'], {}, 1, /BAD_OPTION: empty\.mjs has no function/],
    [['--authorize', 'wrong.mjs'], {}, 1, /BAD_OPTION: wrong\.mjs has no function/],
    [['--dist', 'build'], {}, 1, /BUILD_MISSING: .*build[^]*run `vite build` first/],
    [[], { FLASH_KEY: '' }, 1, /BAD_PROJECT_KEY: there is no project key/],
    [[], { FLASH_KEY: Buffer.alloc(32).toString('base64') }, 1, /BAD_PROJECT_KEY: .*another project key/],
  ]
  for (const [args, variables, code, warned] of refusals) {
    test(`${[...args, ...Object.keys(variables)].join(' ')}: ${warned.source}`, async () => {
      const root = app({
        'broken.mjs': '\nthrow new Error("no database")',
        'outer.mjs': 'import "./broken.mjs"',
        'alone.mjs': 'import "./missing.mjs"',
        'text.mjs': 'throw "no words"',
        'empty.mjs': 'export const other = 1',
        'wrong.mjs': 'export default "everybody"',
      })
      const answer = await run(['start', ...args], root, variables)
      expect([answer.code, answer.printed]).toEqual([code, ''])
      expect(answer.warned).toMatch(warned)
    })
  }

  test('a port that is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => other.close())
    const { port } = other.address() as { port: number }
    const { code, warned } = await run(['start', '--port', String(port)], app())
    expect([code, warned]).toEqual([
      1,
      expect.stringMatching(/BAD_OPTION: cannot listen at port \d+[^]*--port/),
    ])
  })

  test('in a form for programs, too', async () => {
    const missing = await run(['start', '--json', '--dist', 'build'], app())
    expect(JSON.parse(missing.warned).error).toMatchObject({
      code: 'BUILD_MISSING',
      hint: expect.any(String),
    })
    const mistyped = await run(['start', '--json', '--prot'], app())
    expect([mistyped.code, JSON.parse(mistyped.warned).error.code]).toEqual([2, 'USAGE'])
  })
})

describe('flash start', () => {
  test('says where the app is, and that nobody may call', async () => {
    const { printed, warned, url } = await start([], app())
    expect(printed.join('\n')).toMatch(
      /shop at http[^]*listens at 127\.0\.0\.1, port \d+[^]*0 functions below \/_flash, open to nobody/,
    )
    expect(warned.join('\n')).toContain('AUTHORIZE_MISSING')
    expect(await (await fetch(url)).text()).toBe('<title>shop</title>')
  })

  test('opens the functions to everybody when told to', async () => {
    const { printed, warned } = await start(['--public'], app())
    expect(printed.join('\n')).toContain('open to everybody')
    expect(warned).toEqual([])
  })

  test('takes a switch with its value', async () => {
    const { printed } = await start(['--public=true', '--json=false'], app())
    expect(printed.join('\n')).toContain('open to everybody')
    const closed = await start(['--public=false'], app())
    expect(closed.printed.join('\n')).toContain('open to nobody')
  })

  test.each(['export default () => true', 'export const authorize = () => true', 'export default "public"'])(
    'takes who may call from a module: %s',
    async (source) => {
      const { printed, warned } = await start(['--authorize', './who.mjs'], app({ 'who.mjs': source }))
      expect(printed.join('\n')).toContain('open to whom ./who.mjs lets in')
      expect(warned).toEqual([])
    },
  )

  test('prints one line of JSON for programs', async () => {
    const { printed } = await start(['--json', '--public'], app())
    expect(printed).toHaveLength(1)
    expect(JSON.parse(printed[0]!)).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) })
  })

  test('takes options before variables', async () => {
    const { url } = await start(['--json', '--port', '0', '--host', 'localhost'], app(), {
      PORT: '1',
      HOST: '203.0.113.7',
    })
    expect(url).toMatch(/^http:\/\/localhost:\d+\/$/)
  })

  test('stops at a signal', async () => {
    const { signal, code, exits, warned } = await start(['--public'], app())
    signal()
    expect(await code).toBe(0)
    expect([exits, warned]).toEqual([[], ['flash: stopping; once more to end at once']])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at a second %s with %i, unless that is an echo of the first', async (name, code) => {
    const { signal, exits } = await start(['--public'], app())
    signal(0, name)
    signal(50, name)
    expect(exits).toEqual([])
    signal(60, name)
    expect(exits).toEqual([code])
  })
})

describe('as a process', () => {
  const program = `import { main } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
process.exit(await main(process.argv.slice(1), '1.2.3'))`

  function launch(args: string[], cwd: string) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...args], {
      cwd,
      env: { ...process.env, ...env, PORT: '0', HOST: '127.0.0.1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanUps.push(() => child.kill('SIGKILL'))
    return { child, ended: once(child, 'exit'), line: once(createInterface(child.stdout), 'line') }
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('it ends by %s with 0', async (signal) => {
    const { child, ended, line } = launch(['start', '--json', '--public'], app())
    const [text] = await line
    expect((await fetch(JSON.parse(text).url)).status).toBe(200)
    child.kill(signal)
    expect(await ended).toEqual([0, null])
  })
})
