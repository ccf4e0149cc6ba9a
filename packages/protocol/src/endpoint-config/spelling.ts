const plain = (word: string) => word.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Edits between two words, a swap of neighbours counting as one. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change, swap))
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** The known word a text was probably meant to be: equal but for case and punctuation, or at least 60 % alike. */
export function findClosest(text: string, known: readonly string[]): string | undefined {
  const wanted = plain(text)
  // Beyond this length nobody mistyped a field, and the comparison is quadratic.
  if (wanted.length === 0 || wanted.length > 64) return undefined
  const ranked = known
    .map((word) => ({
      word,
      off: distance(wanted, plain(word)) / Math.max(wanted.length, plain(word).length),
    }))
    .sort((a, b) => a.off - b.off)
  return ranked[0] && ranked[0].off <= 0.4 ? ranked[0].word : undefined
}

/** The known name that is the same words without the maker's, in another case or with other punctuation. */
export function findSameName(text: string, known: readonly string[]): string | undefined {
  const bare = (word: string) =>
    plain(word)
      .replace(/^nvidia/, '')
      .replace(/^geforce/, '')
  const wanted = bare(text)
  return known.find((word) => bare(word) === wanted)
}
