import type { AlertStatus, Severity } from '../../api/types.ts'
import { SEVERITIES } from '../../parts/severity.tsx'

export const STATUSES: readonly AlertStatus[] = ['OPEN', 'TRIAGED', 'RESOLVED', 'CLOSED']

/** The filter of the list, as it is in the page's URL. */
export interface AlertSearch {
  severity?: Severity[]
  status?: AlertStatus[]
  rule?: string
  owner?: string
  log_type?: string
  indicator?: string
  tag?: string
  text?: string
  muted?: 'only' | 'all'
  /** Raised from then on, RFC 3339. */
  since?: string
}

const TEXTS = ['rule', 'owner', 'log_type', 'indicator', 'tag', 'text'] as const
const TIME = /^\d{4}-\d\d-\d\dT/

/** Reads it; what is not understood is left out. */
export function readAlertSearch(given: Record<string, unknown>): AlertSearch {
  const search: AlertSearch = {}
  const severity = listOf(given['severity'], SEVERITIES)
  const status = listOf(given['status'], STATUSES)
  if (severity.length > 0) search.severity = severity
  if (status.length > 0) search.status = status
  for (const name of TEXTS) {
    const value = given[name]
    if (typeof value === 'string' || typeof value === 'number') search[name] = String(value).slice(0, 500)
  }
  if (given['muted'] === 'only' || given['muted'] === 'all') search.muted = given['muted']
  const { since } = given
  if (typeof since === 'string' && TIME.test(since) && !Number.isNaN(Date.parse(since))) search.since = since
  return search
}

function listOf<T extends string>(value: unknown, known: readonly T[]): T[] {
  const values = Array.isArray(value) ? value : [value]
  return known.filter((one) => values.includes(one))
}
