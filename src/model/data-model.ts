/** Common names for fields that differ between log types, as read by `event.udm('source_ip')`. */
export interface DataModel {
  readonly id: string
  readonly displayName: string | undefined
  readonly enabled: boolean
  readonly logTypes: readonly string[]
  readonly mappings: readonly DataModelMapping[]
  /** The YAML file. */
  readonly file: string
  /** The content root it belongs to: its code imports that root's helpers. */
  readonly root: string
  /** The Python file with the functions that mappings refer to, or `undefined` if all mappings are paths. */
  readonly source: { readonly file: string; readonly code: string } | undefined
}

/** One mapping: a path (a field name or a JSONPath such as `$.a.b`), or a function in the model's code. */
export type DataModelMapping =
  | { readonly name: string; readonly path: string }
  | { readonly name: string; readonly method: string }
