import type { Answer } from '../../api/client.ts'

type Diff = Pick<Answer<'GET /api/v1/tables/{name}/diff'>, 'added' | 'removed' | 'changed'>
type Row = Readonly<Record<string, unknown>>

export interface RowChange {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly key: string
  /** Of a changed row, those that differ. */
  readonly values: readonly { readonly name: string; readonly before: string | undefined; readonly after: string | undefined }[]
}

/** The rows of a difference with their values as text. */
export function changesOf({ added, removed, changed }: Diff): RowChange[] {
  return [
    ...added.map(({ key, after }) => ({ kind: 'added', key, values: valuesOf(null, after) }) as const),
    ...removed.map(({ key, before }) => ({ kind: 'removed', key, values: valuesOf(before, null) }) as const),
    ...changed.map(({ key, before, after }) => ({ kind: 'changed', key, values: valuesOf(before, after) }) as const),
  ]
}

function valuesOf(before: Row | null, after: Row | null): RowChange['values'] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return names
    .map((name) => ({ name, before: textOf(before?.[name]), after: textOf(after?.[name]) }))
    .filter((one) => one.before !== one.after)
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}
