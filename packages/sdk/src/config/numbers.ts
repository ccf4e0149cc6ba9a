/** `true` for a number literal that is no whole number from `Min` to `Max`; limits are written as digits, no `Max` is `''`. */
export type IsOutOfRange<N, Min extends string, Max extends string> = N extends number
  ? number extends N
    ? never
    : `${N}` extends `${string}${'-' | '.' | 'e'}${string}`
      ? true
      : Compare<`${N}`, Min> extends 'less'
        ? true
        : Max extends ''
          ? never
          : Compare<`${N}`, Max> extends 'more'
            ? true
            : never
  : never

/** Orders two texts of digits without leading zeros: the longer one is more, else the first difference decides. */
export type Compare<
  A extends string,
  B extends string,
  So extends Order = 'equal',
> = A extends `${infer DigitA}${infer RestA}`
  ? B extends `${infer DigitB}${infer RestB}`
    ? Compare<RestA, RestB, So extends 'equal' ? CompareDigits<DigitA, DigitB> : So>
    : 'more'
  : B extends ''
    ? So
    : 'less'

type Order = 'less' | 'equal' | 'more'
type CompareDigits<A extends string, B extends string> = A extends B
  ? 'equal'
  : '0123456789' extends `${string}${A}${string}${B}${string}`
    ? 'less'
    : 'more'
