const amountPattern = /(?<![\d.,])[-−]?(?:\d{1,3}(?:[ .,']\d{3})+|\d+)[.,]\d{2}(?![\d.,]\d|\d)/g
const totalWords =
  /\b(total|amount due|balance due|to pay|summe|gesamt|zu zahlen|montant|totale|importe|totaal)\b/i
const notTotalWords = /sub-?\s?total|zwischen|\b(tax|vat|discount|saved|items?)\b/i

export interface Total {
  /** As printed. */
  amount: string
  /** Index of the line it stands on. */
  line: number
}

/** `Oat milk 3.25` → `['Oat milk', '3.25']`; a line that does not end in an amount stays whole. */
export function splitAmount(text: string): [name: string, amount: string | undefined] {
  const match = [...text.matchAll(amountPattern)].at(-1)
  if (!match || match.index === 0 || match.index + match[0].length !== text.length) return [text, undefined]
  return [text.slice(0, match.index).trim(), match[0]]
}

/** The largest amount beside or below a word for "total"; without such a word, the largest there is. */
export function findTotal(lines: readonly { text: string }[]): Total | undefined {
  const amounts = lines.map(({ text }, line) => ({
    line,
    amount: [...text.matchAll(amountPattern)].at(-1)?.[0],
  }))
  const named = lines.flatMap(({ text }, line) => {
    if (!totalWords.test(text) || notTotalWords.test(text)) return []
    return [amounts[line]?.amount ? amounts[line] : amounts[line + 1]]
  })
  return largest(named) ?? largest(amounts)
}

function largest(candidates: ({ line: number; amount?: string } | undefined)[]): Total | undefined {
  let best: Total | undefined
  for (const candidate of candidates) {
    if (!candidate?.amount) continue
    if (!best || toNumber(candidate.amount) > toNumber(best.amount)) {
      best = { line: candidate.line, amount: candidate.amount }
    }
  }
  return best
}

function toNumber(amount: string): number {
  const digits = amount.replace(/[^\d]/g, '')
  return (/^[-−]/.test(amount) ? -1 : 1) * (Number(digits) / 100)
}
