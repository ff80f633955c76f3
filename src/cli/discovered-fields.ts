import { stringify } from 'yaml'
import type { FieldDocument } from '../packs/infer/document.ts'
import { unknownFieldsIn } from '../packs/infer/unknown-fields.ts'
import type { Client } from './client.ts'

/** The newest events with unknown fields say which these are. */
const MAX_EVENTS = 1000

interface Discovered {
  /** Events that have unknown fields, of the newest. */
  readonly events: number
  /** When the first and the last of them were stored, as the query returns times; `undefined` without events. */
  readonly stored: readonly [from: string, to: string] | undefined
  readonly fields: readonly FieldDocument[]
  readonly yaml: string
}

/** Fields of stored events that their schema does not have, as lines for its `fields`; '' if there are none. */
export async function discovered(client: Client, logType: string): Promise<Discovered> {
  const table = logType.replaceAll('.', '_').toLowerCase()
  const sql = `SELECT extra, p_parse_time FROM logs.${table} WHERE extra IS NOT NULL ORDER BY p_parse_time DESC LIMIT ${MAX_EVENTS}`
  const { rows } = await client.json<{ rows: [unknown, string][] }>('/api/v1/query', { method: 'POST', body: { sql } })
  const { events, fields } = unknownFieldsIn(rows.map(([extra]) => extra))
  const [newest, oldest] = [rows[0], rows.at(-1)]
  const stored = newest && oldest && ([oldest[1], newest[1]] as const)
  return { events, stored, fields, yaml: fields.length === 0 ? '' : stringify(fields, { lineWidth: 0 }) }
}
