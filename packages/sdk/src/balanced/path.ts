/** The names of what a path leaves open: `'id'` of `/items/:id`, `'path'` of `/files/**:path`; `string` when the path is not known. */
export type ParamName<Path extends string> = string extends Path
  ? string
  : Path extends `${infer First}/${infer Rest}`
    ? NameOf<First> | ParamName<Rest>
    : NameOf<Path>

type NameOf<Part extends string> = Part extends `**:${infer Name}`
  ? Name
  : Part extends `:${infer Name}`
    ? Name
    : never
