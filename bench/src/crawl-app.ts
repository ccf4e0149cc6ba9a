/** Modules that import up to this many others, like a tree of folders and index files. */
const fanOut = 8
const remoteFiles = 10

/** An app of `count` modules, ten of which hold three functions each; they come from `remote` of the given module. */
export function createCrawlApp(count: number, remoteFrom: string): Record<string, string> {
  const plain = count - remoteFiles - 2
  const files: Record<string, string> = {
    'src/main.ts': "import { total0 } from './m/0/0.ts'\ndocument.body.dataset.total = String(total0([]))\n",
    'src/local.ts': localRemote,
  }
  for (let index = 0; index < plain; index++) files[`src/${pathOf(index)}`] = createModule(index, plain)
  for (let index = 0; index < remoteFiles; index++)
    files[`src/remote/${index}.ts`] = createRemoteModule(index, remoteFrom)
  return files
}

/** What `remote` comes from where there is no plugin: the function stays what it is. */
const localRemote =
  'export const remote = <F>(_config: object, fn: F): F => fn\nexport const origin = "local"\n'

function pathOf(index: number): string {
  return `m/${Math.floor(index / 100)}/${index}.ts`
}

function createModule(index: number, count: number): string {
  const children = Array.from({ length: fanOut }, (_, child) => index * fanOut + child + 1).filter(
    (child) => child < count,
  )
  const remote = index < remoteFiles ? index : undefined
  const imports = children.map((child) => `import { total${child} } from '../../${pathOf(child)}'\n`)
  if (remote !== undefined)
    imports.push(`import { sort${remote}, weigh${remote} } from '../../remote/${remote}.ts'\n`)
  if (index === 0) imports.push("import { origin } from '../../local.ts'\n")
  const used = [...children.map((child) => `total${child}(items)`), '0']
  const more = remote === undefined ? '' : `export const remotes${index} = [sort${remote}, weigh${remote}]\n`
  return `${imports.join('')}${index === 0 ? 'console.debug(origin)\n' : ''}${more}${moduleText(index, used.join(' + '))}`
}

export function moduleText(index: number, sum: string): string {
  return `
export interface Item${index} {
  id: string
  label: string
  price: number
  tags?: readonly string[]
  parent?: Item${index}
}

type Group = { key: string; items: Item${index}[] }

const names: Record<string, string> = { a: 'Apples ${index}', b: 'Bread ${index}', c: 'Cheese ${index}' }

/** Items by the first letter of their label, in the order they were found. */
export function group${index}(items: readonly Item${index}[]): Group[] {
  const groups = new Map<string, Item${index}[]>()
  for (const item of items) {
    const key = item.label.slice(0, 1).toLowerCase()
    const known = groups.get(key)
    if (known) known.push(item)
    else groups.set(key, [item])
  }
  return [...groups].map(([key, found]) => ({ key: names[key] ?? key, items: found }))
}

export function total${index}(items: readonly Item${index}[]): number {
  const groups = group${index}(items).length
  return groups + ${sum}
}
`
}

function createRemoteModule(index: number, from: string): string {
  return `import { remote } from '${from}'

interface Box {
  name: string
  sides: [number, number, number]
}

const density = ${index + 1}.5
const volumeOf = ({ sides: [a, b, c] }: Box) => a * b * c

export const sort${index} = remote({ name: 'boxes-${index}-sort' }, async (boxes: Box[]) => {
  const sorted = [...boxes].sort((a, b) => volumeOf(a) - volumeOf(b))
  return sorted.map(({ name }) => name)
})

export const weigh${index} = remote({ name: 'boxes-${index}-weigh', workers: [0, 2] }, async (boxes: Box[]) => {
  const weights = boxes.map((box) => [box.name, volumeOf(box) * density] as const)
  return Object.fromEntries(weights)
})

export const pack${index} = remote({ name: 'boxes-${index}-pack' }, async function* (boxes: Box[], limit = 1000) {
  let load: string[] = []
  let volume = 0
  for (const box of boxes) {
    if (volume + volumeOf(box) > limit) {
      yield load
      load = []
      volume = 0
    }
    load.push(box.name)
    volume += volumeOf(box)
  }
  yield load
})
`
}
