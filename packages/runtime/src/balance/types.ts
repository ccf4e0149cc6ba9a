/**
 * Chooses one of several addresses: its index.
 *
 * - `busy`: calls on their way to each.
 */
export type Strategy = (busy: readonly number[]) => number
