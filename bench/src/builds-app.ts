import { moduleText } from './crawl-app.ts'

const modulesEach = 40
const fanOut = 8

export type Flavour = 'flash' | 'by hand'

/** An app of one small page, and beside it `count` functions, each an endpoint with modules of its own and h3. */
export function createBuildsApp(count: number, flavour: Flavour): Record<string, string> {
  const files: Record<string, string> = { 'src/main.ts': "document.body.textContent = 'ready'\n" }
  for (const entry of entriesOf(count)) {
    const write = (file: string, text: string) => {
      files[`src/${entry}/${file}`] = text
    }
    for (let index = 0; index < modulesEach; index++) write(`m/${index}.ts`, treeModule(index))
    write('answer.ts', answerText)
    write('function.ts', flavour === 'flash' ? remoteFunction(entry) : plainFunction)
    if (flavour === 'by hand') write('entry.ts', handWrittenEntry)
  }
  return files
}

export function entriesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `endpoint-${index}`)
}

/** A tree of modules, like folders with index files. */
function treeModule(index: number): string {
  const children = Array.from({ length: fanOut }, (_, child) => index * fanOut + child + 1).filter(
    (child) => child < modulesEach,
  )
  const imports = children.map((child) => `import { total${child} } from './${child}.ts'\n`)
  const sum = [...children.map((child) => `total${child}(items)`), '0'].join(' + ')
  return `${imports.join('')}${moduleText(index, sum)}`
}

const answerText = `import { H3, readBody } from 'h3'
import { type Item0, total0 } from './m/0.ts'

const app = new H3().post('/', async (event) => total0((await readBody<Item0[]>(event)) ?? []))

export async function answer(items: Item0[]): Promise<string> {
  const response = await app.request('/', { method: 'POST', body: JSON.stringify(items) })
  return response.text()
}
`

const remoteFunction = (name: string) => `import { remote } from 'unplugin-flash'
import { answer } from './answer.ts'
import type { Item0 } from './m/0.ts'

export const total = remote({ name: '${name}' }, async (items: Item0[]) => answer(items))
`

const plainFunction = `import { answer } from './answer.ts'
import type { Item0 } from './m/0.ts'

export const total = async (items: Item0[]) => answer(items)
`

/** The least that a process needs to be asked: JSON over the control channel. */
const handWrittenEntry = `import { total } from './function.ts'

process.on('message', async (items) => process.send?.(await total(items as never)))
`
