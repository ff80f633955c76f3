/** A JSON Schema, as far as the API's description uses it. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

export interface Parameter {
  readonly in: string
  readonly name: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

export interface Operation {
  readonly summary?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

/** The API's description (OpenAPI), as far as it is shown. */
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** One operation with its name, `GET /api/v1/alerts`. */
export interface NamedOperation extends Operation {
  readonly name: string
  readonly method: string
  readonly path: string
}

/** What an operation is about: the part of its path after the version. */
export function groupOf(path: string): string {
  return path.split('/')[3] ?? ''
}

/** The operations by what they are about, in the order of the description. */
export function groupsOf({ paths }: Description): ReadonlyMap<string, readonly NamedOperation[]> {
  const groups = new Map<string, NamedOperation[]>()
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method.toUpperCase()} ${path}`
      const group = groupOf(path)
      groups.set(group, [...(groups.get(group) ?? []), { ...operation, name, method: method.toUpperCase(), path }])
    }
  return groups
}
