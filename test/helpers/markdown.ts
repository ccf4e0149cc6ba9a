import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './project.ts'

/** A page of the documentation. */
export interface Page {
  /** From the repository's root: `docs/dev.md`. */
  file: string
  text: string
}

export interface Block {
  /** What stands behind the fence: `ts`, `sh`. */
  language: string
  text: string
  line: number
}

export interface Table {
  head: string[]
  rows: string[][]
}

export function readPage(file: string): Page {
  return { file, text: readFileSync(join(repository, file), 'utf8') }
}

export function readPages(): Page[] {
  const names = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...names.map((name) => `docs/${name}`)].map(readPage)
}

export function readBlocks({ text }: Page): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1]!,
    text: match[2]!,
    line: text.slice(0, match.index).split('\n').length + 1,
  }))
}

export function readTables(page: Page): Table[] {
  return [...withoutBlocks(page).matchAll(/(?:^\|.*\n)+/gm)].map(([table]) => {
    const [head, , ...rows] = table.trimEnd().split('\n').map(readCells)
    return { head: head!, rows }
  })
}

/** The text between the fences. */
export function withoutBlocks({ text }: Page): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '')
}

function readCells(row: string): string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}

/** The texts in backticks. */
export function codesIn(text: string): string[] {
  return [...text.matchAll(/(`+)(.+?)\1(?!`)/g)].map((match) => match[2]!.replaceAll('\\|', '|').trim())
}

/** What a heading is called in a link. */
export function anchorsIn(page: Page): string[] {
  return [...withoutBlocks(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
