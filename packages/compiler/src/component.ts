import { checkImportedApis } from './balanced/imported.ts'
import { checkUses, type Detection, findPackageCalls, notAvailable } from './detect.ts'
import { codeFrame } from './frame.ts'
import { type ParsedModule, parseModule, withoutQuery } from './parse.ts'
import { addProblem, type Refusal } from './refuse.ts'

const extension = /\.(?:vue|svelte|astro)$/

/** Vue, Svelte and Astro files, and the parts that their plugins cut out of them. */
export function isComponent(id: string): boolean {
  return extension.test(withoutQuery(id))
}

/**
 * The scripts of a component, with everything else blank so that positions stay; `null` when they do not parse, which the
 * component's own compiler tells better.
 */
export function parseComponent(code: string, id: string): ParsedModule | null {
  const file = withoutQuery(id)
  const part = /[?&](?:type=script|lang[.=])/.test(id)
  const script = part ? code : keepScripts(code, file.endsWith('.astro'))
  const lang = /\blang=["']?([jt]sx)/.exec(code)?.[1] ?? 'ts'
  try {
    const parsed = parseModule(script, part ? id : `${file}?lang.${lang}`)
    return { ...parsed, frame: (start, end) => codeFrame(code, start, end) }
  } catch {
    return null
  }
}

/** - `frontmatter`: there may be a script between fences at the start, as Astro has it. */
export function keepScripts(code: string, frontmatter: boolean): string {
  const blank = (text: string) => text.replaceAll(/[^\r\n]/g, ' ')
  let result = ''
  let done = 0
  const keep = (start: number, end: number) => {
    result += blank(code.slice(done, start)) + code.slice(start, end)
    done = end
  }
  const fence = frontmatter ? /^\uFEFF?\s*---([\s\S]*?)\r?\n---/.exec(code) : null
  if (fence) keep(fence[0].indexOf('---') + 3, fence[0].length - 3)
  const scripts = /<script\b[^>]*>([\s\S]*?)<\/script\s*>/gi
  scripts.lastIndex = done
  for (const match of code.matchAll(scripts)) {
    const end = match.index + match[0].lastIndexOf('</')
    keep(end - match[1]!.length, end)
  }
  return result + blank(code.slice(done))
}

/** Remote functions in a component would need their worker code cut out of a component; they belong into a module. */
export async function checkComponent(detection: Detection): Promise<void> {
  const { source, findings } = detection
  for (const [call, word] of await findPackageCalls(detection)) {
    if (word === 'unchecked') continue
    addProblem(findings, source, call, word === 'task' ? notAvailable : inComponent(source.shown, word))
  }
  await checkUses(detection)
  await checkImportedApis(detection)
}

function inComponent(shown: string, word: string): Refusal {
  const kind = shown.endsWith('.vue') ? 'a Vue' : shown.endsWith('.svelte') ? 'a Svelte' : 'an Astro'
  return {
    code: 'REMOTE_IN_COMPONENT',
    message: `\`${word}()\` is called in ${kind} component, which is not a module of its own`,
    hint: `move the ${word === 'remote' ? 'function' : 'endpoint'} to a \`.ts\` file beside it and import it here`,
  }
}
