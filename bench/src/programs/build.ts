import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { answerParent, readInput } from './parent.ts'

export interface BuildInput {
  root: string
  flash: boolean
}

/** Gzipped bytes of the JavaScript of a built page, each file compressed by itself. */
export interface BuildResult {
  /** What the page names, and what that imports. */
  eager: number
  /** What is imported when it is needed. */
  lazy: number
}

const { root, flash } = readInput<BuildInput>()
const plugins = flash ? [(await import('unplugin-flash/vite')).flash()] : []
const { output } = (await build({
  root,
  configFile: false,
  logLevel: 'error',
  plugins,
})) as Rolldown.RolldownOutput
answerParent(sizesOf(output))

function sizesOf(files: Rolldown.RolldownOutput['output']): BuildResult {
  const chunks = new Map(
    files.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])),
  )
  const page = files.find(
    (file) => file.type === 'asset' && file.fileName === 'index.html',
  ) as Rolldown.OutputAsset
  const eager = new Set<string>()
  const add = (name: string) => {
    const chunk = chunks.get(name)
    if (!chunk || eager.has(name)) return
    eager.add(name)
    for (const next of chunk.imports) add(next)
  }
  for (const [, name] of String(page.source).matchAll(/(?:src|href)="\/([^"]+\.js)"/g)) add(name!)
  const sum = (wanted: boolean) =>
    [...chunks.values()]
      .filter(({ fileName }) => eager.has(fileName) === wanted)
      .reduce((bytes, { code }) => bytes + gzipSync(code).length, 0)
  return { eager: sum(true), lazy: sum(false) }
}
