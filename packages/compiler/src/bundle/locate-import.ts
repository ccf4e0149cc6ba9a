import type { SourcePosition } from '@flash/protocol'
import { type EcmaScriptModule, parseSync } from 'oxc-parser'
import { isComponent, keepScripts } from '../component.ts'
import { codeFrame } from '../frame.ts'
import { languageOf } from '../parse.ts'

export interface CodePlace {
  at: SourcePosition
  frame: string
}

/** Where in a module a specifier is imported; its first line when that cannot be told. */
export function locateImport(code: string, file: string, shown: string, specifier: string): CodePlace {
  const request = findRequest(code, file, specifier)
  return request ? placeAt(code, shown, request.start, request.end) : placeAt(code, shown, 0)
}

export function placeAt(code: string, shown: string, start: number, end = start + 1): CodePlace {
  const lines = code.slice(0, start).split(/\r\n?|\n/)
  const at = { file: shown, line: lines.length, column: lines.at(-1)!.length + 1 }
  return { at, frame: codeFrame(code, start, end) }
}

interface Request {
  value: string
  start: number
  end: number
  /** Written as `import … from` or `export … from`, so the module cannot do without. */
  isStatic: boolean
}

/** The first import of a specifier in a module or in the scripts of a component, a static one if there is any. */
export function findRequest(code: string, file: string, specifier: string): Request | undefined {
  const script = isComponent(file) ? keepScripts(code, file.endsWith('.astro')) : code
  const lang = isComponent(file) ? 'ts' : languageOf(file)
  const { module } = parseSync(file, script, { lang })
  return requestsOf(script, module).find(({ value }) => value === specifier)
}

function requestsOf(
  code: string,
  { staticImports, staticExports, dynamicImports }: EcmaScriptModule,
): Request[] {
  const literals = dynamicImports.map(({ moduleRequest: { start, end } }) => ({
    value: code.slice(start + 1, end - 1),
    start,
    end,
    isStatic: false,
  }))
  const required = [...code.matchAll(/\brequire\s*\(\s*(['"])([^'"\n]+)\1/g)].map(
    ({ index, 0: call, 2: value }) => ({
      value: value!,
      start: index,
      end: index + call.length,
      isStatic: false,
    }),
  )
  const written = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest),
    ...staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest ?? [])),
  ]
  return [...written.map((request) => ({ ...request, isStatic: true })), ...literals, ...required]
}
