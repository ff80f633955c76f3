import { expect } from 'vitest'
import type { Caracal } from '../support/caracal.ts'

/** Rows that events wrote: what they were joined with is in the history, and a first row was written once. */
export async function checkWrittenRows(caracal: Caracal): Promise<void> {
  const of = async (sql: string) => (await caracal.query(sql)).map((row) => row.map(String))
  const addresses = await of('SELECT DISTINCT ip FROM logs.custom_crash ORDER BY ip')
  expect(await of('SELECT ip FROM lookups.crash_seen ORDER BY ip')).toEqual(addresses)
  expect(await of('SELECT ip FROM lookups.crash_seen_history ORDER BY ip')).toEqual(addresses)
  // Who wrote a first row did not find one.
  const firsts = 'SELECT first FROM lookups.crash_seen'
  const writers = `SELECT count(), countIf(JSONHas(p_enrichment, 'crash_seen')) FROM logs.custom_crash WHERE toString(seq) IN (${firsts})`
  expect(await of(writers)).toEqual([[String(addresses.length), '0']])
  for (const [table, field, column] of [
    ['crash_seen', 'ip', 'first'],
    ['crash_last', 'group', 'last'],
  ] as const) {
    const member = (name: string) => `JSONExtractRaw(p_enrichment, '${table}', '${field}', '${name}')`
    const history = `SELECT "${field}", "${column}", p_version FROM lookups.${table}_history`
    const joined = `SELECT count(), countIf(("${field}", ${member(column)}, ${member('p_version')}) NOT IN (${history})) FROM logs.custom_crash WHERE JSONHas(p_enrichment, '${table}')`
    const [[n, unknown] = []] = await of(joined)
    expect(unknown).toBe('0')
    expect(Number(n)).toBeGreaterThan(0)
  }
  const groups = await of('SELECT "group", count() FROM lookups.crash_last_history WHERE p_valid_to IS NULL GROUP BY 1')
  expect(groups.every(([, n]) => n === '1')).toBe(true)
  expect(groups).toHaveLength(37)
}
