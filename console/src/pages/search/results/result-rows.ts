import type { ReactNode } from 'react'

export interface ResultColumn {
  readonly name: string
  /** The lake's type; shown on hover. */
  readonly type: string
  /** Default: the value as text. */
  show?(value: unknown): ReactNode
}

/** Rows of which only some are in memory. */
export interface ResultRows {
  readonly columns: readonly ResultColumn[]
  readonly count: number
  /** `undefined` until the row has been read. */
  row(index: number): readonly unknown[] | undefined
  /** These rows are in view. They are read, and others may be forgotten. */
  want(first: number, last: number): void
}

/** A value as text, on one line. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** A row as an object. Of columns with one name, the later ones get a number. */
export function objectOf(columns: readonly ResultColumn[], row: readonly unknown[]): Readonly<Record<string, unknown>> {
  const object: Record<string, unknown> = Object.create(null)
  for (const [i, { name }] of columns.entries()) object[name in object ? `${name} (${i + 1})` : name] = row[i]
  return object
}

/** The lake keeps nested values as JSON text. */
export function readNested(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
