import type { Benchmark, Row } from './benchmark.ts'
import { startChild } from './child.ts'
import type { BuildInput, BuildResult } from './programs/build.ts'
import { createProject } from './project.ts'

/** Numbers of functions, and what else the page has. */
const cases = ['0', '1', '2', '10', '0 and a lazy part', '1 and a lazy part'] as const
type Sizes = Record<(typeof cases)[number], BuildResult>

/** Any key would do; a fixed one gives the same bytes in every run. */
const key = Buffer.alloc(32, 7).toString('base64url')

/** What a built page loads for its functions, against calls that are written by hand. */
export const size: Benchmark = {
  name: 'size',
  title: 'Size: gzipped JavaScript of a built page with 0, 1, 2 and 10 functions, call sites included',
  async run({ progress }) {
    progress(`building ${2 * cases.length} small apps`)
    return toRows(await buildAll(false), await buildAll(true))
  },
}

async function buildAll(flash: boolean): Promise<Sizes> {
  const sizes = {} as Sizes
  for (const name of cases) {
    const count = Number.parseInt(name, 10)
    const functions = flash ? remoteFunctions(count) : handWrittenFunctions(count)
    const project = createProject({
      'src/main.ts': mainText(count, name.endsWith('lazy part')),
      'src/functions.ts': functions,
      'src/later.ts': "export const text = 'later'\n",
    })
    const input: BuildInput = { root: project.root, flash }
    const child = await startChild<BuildResult>(new URL('./programs/build.ts', import.meta.url), input, {
      FLASH_KEY: key,
    })
    await child.stop()
    project.remove()
    sizes[name] = child.ready
  }
  return sizes
}

function mainText(count: number, lazy: boolean): string {
  const names = Array.from({ length: count }, (_, index) => `task${index}`)
  const imports = count > 0 ? `import { ${names.join(', ')} } from './functions.ts'\n` : ''
  const calls = names.map((name) => `document.body.append(await ${name}('text'))\n`).join('')
  return `${imports}${calls}document.body.append(${lazy ? "(await import('./later.ts')).text" : "'done'"})\n`
}

function remoteFunctions(count: number): string {
  const one = (index: number) =>
    `export const task${index} = remote({}, async (text: string) => text + ${index})\n`
  return `import { remote } from 'unplugin-flash'\n${Array.from({ length: count }, (_, index) => one(index)).join('')}`
}

/** The least that calls a server: no types at run time, no errors, no cancelling, nothing but JSON. */
function handWrittenFunctions(count: number): string {
  const one = (index: number) =>
    `export const task${index} = (text: string): Promise<string> => call('task${index}', text)\n`
  return `const call = async (name: string, ...args: unknown[]) => {
  const response = await fetch('/api/' + name, { method: 'POST', body: JSON.stringify(args) })
  return response.json()
}
${Array.from({ length: count }, (_, index) => one(index)).join('')}`
}

function toRows(plain: Sizes, flash: Sizes): Row[] {
  const row = (what: string, bytesOf: (sizes: Sizes) => number, aim?: number): Row => ({
    what,
    plain: { value: bytesOf(plain), unit: 'bytes' },
    flash: { value: bytesOf(flash), unit: 'bytes' },
    aim,
  })
  return [
    row('page without functions', (sizes) => sizes[0].eager),
    {
      ...row('what the first function adds at once', (sizes) => sizes[1].eager - sizes[0].eager, 1500),
      note: 'plain is a fetch of three lines by hand',
    },
    row(
      'the same in a page that has lazy parts already',
      (sizes) => sizes['1 and a lazy part'].eager - sizes['0 and a lazy part'].eager,
    ),
    row('each further function, from 2 to 10', (sizes) => (sizes[10].eager - sizes[2].eager) / 8, 30),
    row('loaded when it is needed, in all', (sizes) => sizes[10].lazy),
  ]
}
