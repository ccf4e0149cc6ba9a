import { AppError } from '@flash/protocol'
import { isInstalled } from '../locate.ts'
import type { Asset } from './assets.ts'
import { type BuildContext, shownPath } from './context.ts'
import { placeAt } from './locate-import.ts'
import type { Notes } from './notes.ts'

/** The files that code which is still there names. */
export function findUsedAssets(context: BuildContext, notes: Notes, code: string): Asset[] {
  const used = [...notes.assets.values()].filter(({ asset }) => code.includes(asset.path))
  for (const { asset, importer, url } of used) {
    if (!asset.isCode || !url || isInstalled(context.root, importer)) continue
    const shown = shownPath(context, importer)
    notes.problems.add(
      new AppError('URL_OF_CODE', {
        message: `${shown} needs ${shownPath(context, asset.file)} as a file of its own, and a worker bundle is one file of code`,
        hint: 'import it, or put what runs in a thread into a package and list that in `dependencies` of the endpoint',
        ...placeOfText(context, importer, url.text),
      }),
    )
  }
  return used.map(({ asset }) => asset)
}

/** URLs that code which is still there has, and that lead to no file. */
export function findAbsent(context: BuildContext, { absent }: Notes, code: string): AppError[] {
  const left = absent.filter(({ url }) => code.includes(url.text))
  return left.map(
    ({ url, importer }) =>
      new AppError('ASSET_NOT_FOUND', {
        message: `${shownPath(context, importer)} names ${JSON.stringify(url.text)} beside itself, and there is no such file to copy`,
        hint: 'correct the path, unless the function makes the file when it runs',
        ...placeOfText(context, importer, url.text),
      }),
  )
}

/** Where a text stands in a file as it is written. */
function placeOfText({ files, locator }: BuildContext, file: string, text: string) {
  const code = files.find(file) ?? ''
  const start = code.indexOf(text)
  return start < 0 ? undefined : placeAt(code, locator.locate(file).rootPath, start, start + text.length)
}
