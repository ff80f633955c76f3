import type { WindowSpec } from './spec.ts'

/** The part of time that a request is about, epoch milliseconds. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

const PLACEHOLDER = /\{(\w+)\}/g

/** The names in braces in a text. */
export function placeholders(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!)
}

/** The text with the values of the names in braces; names without a value stay. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => (Object.hasOwn(values, name) ? values[name]! : whole))
}

/** A JSON value in whose texts the names in braces are replaced. A text that is nothing but a name becomes its value as it is. */
export function filledTree(value: unknown, values: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string') {
    const only = /^\{(\w+)\}$/.exec(value)?.[1]
    if (only !== undefined && Object.hasOwn(values, only)) return values[only]
    const texts = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return filled(value, Object.fromEntries(texts))
  }
  if (Array.isArray(value)) return value.map((one) => filledTree(one, values))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledTree(one, values)]))
}

/** The values of {since} and {until}. */
export function timesOf(
  { fromMs, toMs }: Span,
  format: WindowSpec['format'],
): { readonly since: string; readonly until: string } {
  return { since: timeText(fromMs, format), until: timeText(toMs, format) }
}

function timeText(ms: number, format: WindowSpec['format']): string {
  const iso = new Date(ms).toISOString()
  switch (format) {
    case 'iso':
      return iso
    case 'iso_seconds':
      return `${iso.slice(0, 19)}Z`
    case 'iso_local':
      return iso.slice(0, 19)
    case 'unix':
      return String(Math.floor(ms / 1000))
    case 'unix_ms':
      return String(ms)
  }
}
