import { describe, expect, test } from 'vitest'
import { findTotal, splitAmount } from '../src/amounts.ts'

describe('a line and the amount at its end', () => {
  for (const [text, name, amount] of [
    ['Oat milk barista 3.25', 'Oat milk barista', '3.25'],
    ['Discount 5% -2.60', 'Discount 5%', '-2.60'],
    ['Rabatt −2,60', 'Rabatt', '−2,60'],
    ['Rent 1,250.00', 'Rent', '1,250.00'],
    ['Miete 1.250,00', 'Miete', '1.250,00'],
    ['Loyer 1 250,00', 'Loyer', '1 250,00'],
    ["Zins 1'250.00", 'Zins', "1'250.00"],
    ['2 x 1.10 2.20', '2 x 1.10', '2.20'],
    ['Virgin oil 2 bottles 11.75', 'Virgin oil 2 bottles', '11.75'],
    ['You saved 2.60 today', 'You saved 2.60 today', undefined],
    ['Sales tax 8.25%', 'Sales tax 8.25%', undefined],
    ['Points earned 53', 'Points earned 53', undefined],
    ['Version 1.2.34', 'Version 1.2.34', undefined],
    ['Weight 0.125', 'Weight 0.125', undefined],
    ['12.34', '12.34', undefined],
    ['', '', undefined],
  ] as const)
    test(JSON.stringify(text), () => expect(splitAmount(text)).toEqual([name, amount]))
})

describe('the total', () => {
  const toLines = (texts: readonly string[]) => texts.map((text) => ({ text }))

  for (const [what, texts, total] of [
    ['beside its word', ['Bread 6.40', 'TOTAL USD 53.44', 'Cash 60.00'], { line: 1, amount: '53.44' }],
    ['below its word', ['Bread 6.40', 'Amount due', '53.44', 'Change 99.00'], { line: 2, amount: '53.44' }],
    ['not the subtotal', ['Subtotal 51.97', 'Sub-total 52.00', 'Total 48.10'], { line: 2, amount: '48.10' }],
    ['not the tax in it', ['Total tax 90.00', 'Total 48.10'], { line: 1, amount: '48.10' }],
    ['in German', ['Zwischensumme 99,00', 'Summe 9,50', 'Bar 100,00'], { line: 1, amount: '9,50' }],
    ['the largest of two', ['Total 10.00', 'Total 12.00', 'Total 11.00'], { line: 1, amount: '12.00' }],
    ['above a thousand', ['Total 999.00', 'Total 1.250,00'], { line: 1, amount: '1.250,00' }],
    ['without its word', ['Bread 6.40', 'Cheese 11.75', 'Milk 3.25'], { line: 1, amount: '11.75' }],
    ['of a refund', ['Total -5.00', 'Refund 4.00'], { line: 0, amount: '-5.00' }],
    ['with nothing beside or below it', ['Bread 6.40', 'Total'], { line: 0, amount: '6.40' }],
    ['without amounts', ['Thank you', 'Total'], undefined],
    ['of nothing', [], undefined],
  ] as const)
    test(what, () => expect(findTotal(toLines(texts))).toEqual(total))
})
