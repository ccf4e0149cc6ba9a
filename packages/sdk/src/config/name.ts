/** What is wrong with a name as far as its literal tells; the build knows the rest of the rules. */
export type NameFlaw<N> = N extends string
  ? string extends N
    ? never
    : Lowercase<N> extends `live-${string}`
      ? 'a name does not begin with live-'
      : Lowercase<N> extends 'flash'
        ? 'the name flash is reserved'
        : FlawIn<Characters<Lowercase<N>>>
  : never

type FlawIn<Each extends readonly string[]> = Each extends readonly [infer First, string, string, ...string[]]
  ? Each['length'] extends TooLong
    ? 'a name has 3 to 63 characters'
    : [Exclude<Each[number], Alphanumeric | Punctuation>] extends [never]
      ? First extends Punctuation
        ? 'a name begins with a letter or digit'
        : Each extends readonly [...string[], Punctuation]
          ? 'a name ends with a letter or digit'
          : never
      : 'a name has letters, digits, ".", "_" and "-" only'
  : 'a name has 3 to 63 characters'

type Characters<S extends string, Done extends string[] = []> = Done['length'] extends TooLong
  ? Done
  : S extends `${infer First}${infer Rest}`
    ? Characters<Rest, [...Done, First]>
    : Done

/** Counting stops one past the limit. */
type TooLong = 64
type Punctuation = '.' | '_' | '-'
type Alphanumeric = Letters<'abcdefghijklmnopqrstuvwxyz0123456789'>
type Letters<S extends string> = S extends `${infer First}${infer Rest}` ? First | Letters<Rest> : never
