import type { AccountContext } from '../store.ts'

/** GraphQL makes everything nullable that is not required. */
export type Maybe<T> = T | null

/** Without the fields that are `undefined`: what was left out changes nothing. */
export function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}

export function toIso(at: number): string {
  return new Date(at).toISOString()
}

/** Arguments that the schema calls texts which must be there. */
export type Arguments<K extends string> = Record<K, string>

/** How root fields are answered; what an argument holds, the schema has checked. */
export type Resolvers = Record<string, (args: any, ctx: AccountContext) => unknown>
