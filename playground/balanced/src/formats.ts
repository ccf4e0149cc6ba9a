/** What pictures can be turned into; the page offers the same. */
export const formats = ['webp', 'avif', 'jpeg', 'png'] as const

export type Format = (typeof formats)[number]
