import type { Plain } from './values.ts'

type Operand = Exclude<Plain, undefined> & (number & string)

/** The operators whose result depends on nothing but two plain values. */
const binary: Record<string, (left: Operand, right: Operand) => Plain> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
  '|': (a, b) => a | b,
  '&': (a, b) => a & b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '>>>': (a, b) => a >>> b,
  '===': (a, b) => a === b,
  '!==': (a, b) => a !== b,
  // oxlint-disable-next-line eqeqeq -- it is what the source says
  '==': (a, b) => a == b,
  // oxlint-disable-next-line eqeqeq -- it is what the source says
  '!=': (a, b) => a != b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

const unary: Record<string, (value: Operand) => Plain> = {
  '!': (value) => !value,
  '-': (value) => -value,
  '+': (value) => +value,
  '~': (value) => ~value,
  typeof: (value) => typeof value,
  void: () => undefined,
}

/** `null` when the operator is not one of ours, or refuses these values (`1n + 1`). */
export function applyBinary(operator: string, left: Plain, right: Plain): { value: Plain } | null {
  return attempt(() => binary[operator]?.(left as Operand, right as Operand), Object.hasOwn(binary, operator))
}

export function applyUnary(operator: string, value: Plain): { value: Plain } | null {
  return attempt(() => unary[operator]?.(value as Operand), Object.hasOwn(unary, operator))
}

function attempt(run: () => Plain, known: boolean): { value: Plain } | null {
  if (!known) return null
  try {
    return { value: run() }
  } catch {
    return null
  }
}
