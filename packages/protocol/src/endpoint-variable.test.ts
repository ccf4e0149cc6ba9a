import { expect, test } from 'vitest'
import { endpointVariable, findVariableClashes } from './endpoint-variable.ts'

for (const [name, variable] of [
  ['ocr', 'FLASH_ENDPOINT_OCR'],
  ['receipt-ocr', 'FLASH_ENDPOINT_RECEIPT_OCR'],
  ['Ocr.v2_fast', 'FLASH_ENDPOINT_OCR_V2_FAST'],
  ['0-a--b', 'FLASH_ENDPOINT_0_A__B'],
] as const) {
  test(`variable of ${name}`, () => expect(endpointVariable(name)).toBe(variable))
}

for (const [what, names, clashes] of [
  ['different names', ['a-b', 'a-c', 'ab'], []],
  ['the same name twice is one endpoint', ['a-b', 'a-b'], []],
  [
    'names that differ only in marks and case',
    ['x.y', 'other', 'X-y', 'x_y'],
    [{ variable: 'FLASH_ENDPOINT_X_Y', endpoints: ['X-y', 'x.y', 'x_y'] }],
  ],
  [
    'several clashes, in the order of the names',
    ['b-1', 'a-1', 'b.1', 'a.1'],
    [
      { variable: 'FLASH_ENDPOINT_A_1', endpoints: ['a-1', 'a.1'] },
      { variable: 'FLASH_ENDPOINT_B_1', endpoints: ['b-1', 'b.1'] },
    ],
  ],
] as const) {
  test(`clashes: ${what}`, () => expect(findVariableClashes(names)).toEqual(clashes))
}
