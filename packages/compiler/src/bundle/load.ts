import { AppError } from '@flash/protocol'
import { parseSync } from 'oxc-parser'
import type { Asset } from './assets.ts'
import { ENTRY, entryCode } from './entry.ts'
import { type FileCache, isFile } from './files.ts'
import type { Loaded } from './hooks.ts'
import { placeAt } from './locate-import.ts'
import type { EndpointPlan } from './plan.ts'
import { splitQuery } from './specifier.ts'

export interface LoadOptions {
  plan: EndpointPlan
  files: FileCache
  /** A file that is to lie beside the bundle. */
  takeAsset(file: string): Promise<Asset | null>
  shownPath(file: string): string
}

const nothing = { mappings: '' } as const

/** What a module is made of; `null` when the engine reads it by itself. */
export function createLoad(options: LoadOptions): (id: string) => Promise<Loaded | null> {
  return async (id) => {
    if (id === ENTRY) return { code: entryCode(options.plan), map: nothing }
    if (!isFile(id)) return null
    const [file, query] = splitQuery(id)
    switch (kindOf(file, query)) {
      case 'text':
        return toModule(JSON.stringify(options.files.text(file)))
      case 'style':
        return { ...toModule(`''`), open: true }
      case 'page':
        return toModule(
          `class { constructor() { throw new Error(${JSON.stringify(`${options.shownPath(file)} is a worker of pages; it does not run here`)}) } }`,
        )
      case 'asset':
        return loadAsset(options, file)
      case 'native':
        throw refuseNative(options.shownPath(file))
      case 'data':
        return checkJson(options, file)
      case 'code':
        return null
    }
  }
}

/** Whether a module is what it says, so that there is nothing to load in another way. */
export const plainSource = /^[^\0?]*\.[cm]?[jt]sx?$/

type Kind = 'text' | 'style' | 'page' | 'asset' | 'native' | 'data' | 'code'

const styles = /\.(?:css|less|sass|scss|styl|stylus|pcss|postcss|sss)$/
/** What Vite takes as files by their endings. */
const assets =
  /\.(?:apng|bmp|png|jpe?g|jfif|pjpeg|pjp|gif|svg|ico|webp|avif|cur|jxl|mp4|webm|ogg|mp3|wav|flac|aac|opus|mov|m4a|vtt|woff2?|eot|ttf|otf|webmanifest|pdf|txt)$/i

const kinds: [Kind, is: (file: string, has: (word: string) => boolean) => boolean][] = [
  ['text', (file, has) => has('raw') || (styles.test(file) && has('inline'))],
  ['page', (_, has) => has('worker') || has('sharedworker')],
  ['asset', (file, has) => has('url') || assets.test(file)],
  ['style', (file) => styles.test(file)],
  ['data', (file) => file.endsWith('.json')],
  ['native', (file) => file.endsWith('.node')],
]

function kindOf(file: string, query: string): Kind {
  const has = (word: string) => new RegExp(`[?&]${word}(?:&|=|$)`).test(query)
  return kinds.find(([, is]) => is(file, has))?.[0] ?? 'code'
}

function toModule(expression: string): Loaded {
  return { code: `export default ${expression}`, map: nothing }
}

async function loadAsset({ takeAsset, shownPath }: LoadOptions, file: string): Promise<Loaded> {
  const asset = await takeAsset(file)
  if (!asset) {
    throw new AppError('IMPORT_NOT_FOUND', {
      message: `${shownPath(file)} is imported as a file, and there is none`,
      hint: 'correct the path of the import',
    })
  }
  // By its full name, so that it is not taken for a URL that somebody wrote in a module of this file.
  return toModule(`new globalThis.URL(${JSON.stringify(`./${asset.path}`)}, import.meta.url).href`)
}

/** Engines read it well, and say little of what is wrong in it. */
function checkJson({ files, shownPath }: LoadOptions, file: string): null {
  const text = files.text(file).replace(/^\uFEFF/, '')
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    const { errors } = parseSync('data.js', `(${text}\n)`)
    const start = (errors[0]?.labels[0]?.start ?? 1) - 1
    throw new AppError('SYNTAX_ERROR', {
      message: `${shownPath(file)} is no JSON: ${(error as Error).message}`,
      hint: 'correct the file',
      ...placeAt(text, shownPath(file), Math.min(start, text.length)),
    })
  }
}

function refuseNative(shown: string): AppError {
  return new AppError('MODULE_FAILED', {
    message: `${shown} is native code, which cannot go into a bundle`,
    hint: 'make it part of a package, and list the package in `dependencies` of the endpoint',
  })
}
