import { codeFrame } from './frame.ts'

/** `codeFrame` for a place that is known by line and column, both from 1. */
export function frameAt(code: string, line: number, column: number): string {
  let start = 0
  for (let passed = 1; passed < line; passed++) start = code.indexOf('\n', start) + 1
  return codeFrame(code, start + column - 1)
}
