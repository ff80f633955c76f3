import type { FinishedRows } from '../model/batch.ts'
import type { TableSpec } from '../model/column.ts'
import type { RefreshOutcome } from '../stages/enrich/outcomes.ts'
import { rowsOf } from './rows.ts'

const TABLE_REFRESHES: TableSpec = {
  database: 'monitor',
  table: 'table_refreshes',
  timeColumn: 'p_parse_time',
  columns: [
    { name: 'p_parse_time', kind: 'timestamp', required: true },
    { name: 'table_name', kind: 'string', required: true },
    { name: 'outcome', kind: 'string', required: true },
    { name: 'version', kind: 'string' },
    { name: 'rows', kind: 'bigint' },
    { name: 'skipped', kind: 'bigint' },
    { name: 'bytes', kind: 'bigint' },
    { name: 'added', kind: 'bigint' },
    { name: 'removed', kind: 'bigint' },
    { name: 'changed', kind: 'bigint' },
    { name: 'worsened', kind: 'bigint' },
    { name: 'message', kind: 'string' },
    { name: 'passed_over', kind: 'strings' },
  ],
}

/** The row that records how a table's refresh ended. */
export function tableRefreshRow(name: string, one: RefreshOutcome): FinishedRows {
  const { outcome, atMs, version, rows, skipped, bytes, changes, message, passedOver } = one
  const differences = [changes?.added, changes?.removed, changes?.changed, changes?.worsened]
  const values = [name.toWellFormed(), outcome, version, rows, skipped, bytes, ...differences, message?.toWellFormed()]
  const time = new Date(atMs).toISOString()
  return rowsOf(TABLE_REFRESHES, [[time, ...values, passedOver?.map((one) => one.toWellFormed())]])[0]!
}
