import { expect, test } from 'vitest'
import { defineTable } from '../definition.ts'

const TABLE = {
  AnalysisType: 'lookup_table',
  LookupName: 'leases',
  Events: { LogTypes: ['Zeek.Dhcp'], Columns: { ip: 'assigned_addr', name: '$.client.name' } },
  LogTypeMap: { PrimaryKey: 'ip' },
}
const define = (change: object) => defineTable({ ...TABLE, ...change }, { file: 'leases.yml' })
const events = (change: object) => ({ Events: { ...TABLE.Events, ...change } })

test('columns are fields of events, time-outs are in seconds, and there is a limit without one being set', () => {
  const { events: source } = define(events({ TimeoutSeconds: { Create: 60, Read: 5 } }))
  expect(source).toEqual({
    logTypes: ['Zeek.Dhcp'],
    detection: undefined,
    columns: [
      ['ip', { name: 'assigned_addr', path: ['assigned_addr'] }],
      ['name', { name: 'client.name', path: ['client', 'name'] }],
    ],
    maxRows: 100_000,
    timeouts: { createMs: 60_000, writeMs: undefined, readMs: 5000 },
  })
})

test.each<[string, object, RegExp]>([
  ['content', { Filename: 'leases.csv' }, /at Filename: belongs to tables with content, .* remove it, or Events/],
  ['a refresh', { Refresh: { PeriodMinutes: 5 } }, /at Refresh: belongs to tables with content/],
  ['a choice by time', { RowsPerKey: 'newest', NewestBy: 'x' }, /NewestBy: belongs to tables with content/],
  ['several rows of a key', { RowsPerKey: 'all' }, /at RowsPerKey: must be last .* or first/],
  ['ranges', { LogTypeMap: { PrimaryKey: { Start: 'ip', End: 'name' } } }, /cannot be a range of addresses/],
  ['networks', { Match: 'cidr' }, /'cidr' cannot compare keys that events write: use exact, ignore_case, ip, port/],
  ['a key that no column is', { LogTypeMap: { PrimaryKey: 'mac' } }, /at Events.Columns: has no 'mac', which is the key/],
  ['a column with a reserved name', events({ Columns: { ip: 'a', p_version: 'b' } }), /must not begin with p_/],
  ['a field that cannot be read', events({ Columns: { ip: 'a[' } }), /at Events.Columns.ip: selector "a\[" cannot be read/],
  ['a field of another table', events({ Columns: { ip: 'p_enrichment.a.b.c' } }), /before they are joined with tables/],
  ['no limit', events({ MaxRows: 0 }), /Events.MaxRows/],
  ['a time-out of nothing', events({ TimeoutSeconds: { Write: 0 } }), /Events.TimeoutSeconds.Write/],
  ['an unknown key', events({ Column: {} }), /Unrecognized key: "Column"/],
])('%s is refused', (_what, change, message) => {
  expect(() => define(change)).toThrow(message)
})
