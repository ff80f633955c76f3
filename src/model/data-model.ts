/** Names for fields that differ from log type to log type: what `event.udm('source_ip')` reads. */
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
  /** The Python file with the functions that mappings name, or `undefined` when all of them are paths. */
  readonly source: { readonly file: string; readonly code: string } | undefined
}

/** One name: a path (a field's name or a JSONPath such as `$.a.b`), or a function of the model's code. */
export type DataModelMapping =
  | { readonly name: string; readonly path: string }
  | { readonly name: string; readonly method: string }
