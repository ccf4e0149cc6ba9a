/** The type of a field that is there for certain, else `never`. */
export type Given<C, K extends PropertyKey> = C extends { readonly [key in K]: infer V }
  ? undefined extends V
    ? never
    : V
  : never

export type IsGiven<C, K extends PropertyKey> = [Given<C, K>] extends [never] ? false : true
