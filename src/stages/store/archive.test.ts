import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LakeHome, lakeKinds } from '../../../test/support/lakes.ts'
import type { Column, TableSpec } from '../../model/column.ts'
import { archivedSpec } from './archive.ts'
import { insertInto } from './insert.fixture.ts'
import type { Lake } from './lake.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-archive-rows-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))

const required = (name: string, kind: Column['kind']): Column => ({ name, kind, required: true })
const SPEC: TableSpec = {
  database: 'logs',
  table: 'a',
  timeColumn: 'p_event_time',
  columns: [
    ...['p_log_type', 'p_row_id'].map((name) => required(name, 'string')),
    required('p_event_time', 'timestamp'),
    required('p_parse_time', 'timestamp'),
    required('p_schema_version', 'int'),
    { name: 'text', kind: 'string' },
    { name: 'whole', kind: 'bigint' },
    { name: 'large', kind: 'ubigint' },
    { name: 'part', kind: 'float' },
    { name: 'yes', kind: 'boolean' },
    { name: 'list', kind: 'strings' },
  ],
}
const DAYS = ['2026-03-02', '2026-03-02', '2026-03-03', '2026-03-08']
const VALUES = [
  ['', -9223372036854775808n, 18446744073709551615n, 0.1, true, ['', 'é', 'a\0b']],
  [null, null, null, null, null, []],
  ['\ud83d\ude00 "\\\n', 9223372036854775807n, 0, -1e308, false, ['x']],
  ['\0', 0, 1, 5e-324, null, []],
]
const PARTITION = { database: 'logs', table: 'a', id: '20260302', held: [] }

for (const kind of lakeKinds)
  describe.skipIf(kind.why)(kind.title, () => {
    let home: LakeHome
    let lake: Lake
    beforeAll(async () => {
      home = await kind.make()
    })
    afterAll(() => home.remove())
    let folder: string
    beforeEach(async () => {
      folder = mkdtempSync(join(top, 'data-'))
      lake = await home.open()
      await lake.ensure(SPEC)
      const rows = DAYS.map((day, i) => [
        'Test.A',
        `row ${i}`,
        `${day}T23:59:59.123456789Z`,
        `${day}T10:00:01Z`,
        i + 1,
        ...VALUES[i]!,
      ])
      await insertInto(lake, SPEC, rows, 'insert')
    })
    afterEach(async () => {
      await lake.close()
      await home.clear()
    })

    const stored = async () => (await lake.query('SELECT * FROM logs.a ORDER BY p_row_id')).rows

    test('rows come back from Parquet as they were, each kind of column, once', async () => {
      const before = await stored()
      const { columns, days } = await lake.archiveDays(PARTITION)
      expect(days).toMatchObject([
        { day: '2026-03-02', rows: 2, schemaVersions: [1, 2], lastEvent: '2026-03-02T23:59:59.123456789Z' },
        { day: '2026-03-03', rows: 1, schemaVersions: [3] },
        { day: '2026-03-08', rows: 1, schemaVersions: [4] },
      ])
      const files: string[] = []
      for (const { day, rows, checksum } of days) {
        const file = join(folder, `${day}.parquet`)
        files.push(file)
        expect(await lake.exportDay({ ...PARTITION, columns, day, part: 0, parts: 1, file })).toEqual({ rows, checksum })
      }
      expect(await lake.retire({ ...PARTITION, expected: 4 })).toMatchObject({ rows: 4, kept: 0, isChanged: false })
      const spec = archivedSpec('logs', 'a', columns)
      for (const round of [1, 2])
        for (const file of files) {
          const { rows, inserted } = await lake.importFile({ spec, columns, file, token: `restore ${round} ${file}` })
          expect(inserted).toBe(round === 1 ? rows : 0)
        }
      expect(await stored()).toEqual(before)
    })

    test('parts of a day have each row once, and their checksums add up to that of the day', async () => {
      const { columns, days } = await lake.archiveDays(PARTITION)
      const { day, rows, checksum } = days[0]!
      const sums = []
      for (const part of [0, 1, 2])
        sums.push(await lake.exportDay({ ...PARTITION, columns, day, part, parts: 3, file: join(folder, `${part}.parquet`) }))
      expect(sums.reduce((sum, one) => sum + one.rows, 0)).toBe(rows)
      expect(String(sums.reduce((sum, one) => (sum + BigInt(one.checksum)) % 2n ** 64n, 0n))).toBe(checksum)
    })

    test('a column whose type has changed since is filled under its earlier name', async () => {
      const { columns, days } = await lake.archiveDays(PARTITION)
      const file = join(folder, 'x.parquet')
      await lake.exportDay({ ...PARTITION, columns, day: days[1]!.day, part: 0, parts: 1, file })
      await lake.retire({ ...PARTITION, expected: 4 })
      const changed = SPEC.columns.map((column) => (column.name === 'text' ? { name: 'text', kind: 'bigint' as const } : column))
      await lake.ensure({ ...SPEC, columns: changed })
      await lake.importFile({ spec: archivedSpec('logs', 'a', columns), columns, file, token: 'restore' })
      const { rows } = await lake.query('SELECT p_row_id, text, p_was_1_string_text, whole FROM logs.a')
      expect(rows.map((row) => JSON.parse(row))).toEqual([['row 2', null, '\ud83d\ude00 "\\\n', expect.anything()]])
    })

    test('a value that changes by one bit changes the checksum', async () => {
      const sum = async () => (await lake.archiveDays(PARTITION)).days.map(({ checksum }) => checksum)
      const before = await sum()
      await insertInto(
        lake,
        SPEC,
        [['Test.A', 'row 1', '2026-03-02T23:59:59.123456789Z', '2026-03-02T10:00:01Z', 2, '', null, null, null, null, []]],
        'other',
      )
      expect((await sum())[0]).not.toBe(before[0])
    })
  })
