import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LakeHome, lakeKinds } from '../../../test/support/lakes.ts'
import type { Column, ColumnKind, TableSpec } from '../../model/column.ts'
import { blocksOfJson } from '../../util/block/json-rows.ts'
import { Refused } from '../../util/errors.ts'
import type { Lake } from './lake.ts'
import { RowWriter } from './row-writer.ts'

for (const kind of lakeKinds)
  describe.skipIf(kind.why)(kind.title, () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'caracal-lake-rows-'))
    let home: LakeHome
    let lake: Lake
    beforeAll(async () => {
      home = await kind.make()
      lake = await home.open()
    })
    afterAll(async () => {
      await lake.close()
      await home.remove()
      rmSync(dataDir, { recursive: true, force: true })
    })

    const standard: readonly Column[] = [
      { name: 'p_row_id', kind: 'string', required: true },
      { name: 'p_event_time', kind: 'timestamp', required: true },
      { name: 'p_parse_time', kind: 'timestamp', required: true },
    ]
    let tables = 0
    const newTable = () => `retyped_${tables++}`
    const specOf = (table: string, kind: ColumnKind, more: readonly Column[] = []): TableSpec => ({
      database: 'logs',
      table,
      columns: [...standard, { name: 'b', kind }, ...more],
      timeColumn: 'p_event_time',
    })
    const rows = (...values: readonly (readonly [id: string, b: string])[]) =>
      Buffer.from(values.map(([id, b]) => `["${id}", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", ${b}]\n`).join(''))

    async function store(table: string, kind: ColumnKind, values: readonly string[], token: string, late = false) {
      const spec = specOf(table, kind)
      await lake.ensure(spec, late)
      const bytes = rows(...values.map((value, i) => [`${token}${i}`, value] as const))
      const { blocks, unfit } = blocksOfJson(spec, bytes)
      expect(unfit).toEqual([])
      const writer = new RowWriter(join(dataDir, 'rows'), lake)
      expect(await writer.insert(spec, blocks, token)).toEqual([])
    }

    /** A column's values as exact JSON texts, ordered by row id. */
    async function read(table: string, what = 'b'): Promise<string[]> {
      const answer = await lake.query(`SELECT ${what} FROM logs.${table} ORDER BY p_row_id`)
      return answer.rows.map((row) => row.slice(1, -1))
    }

    /** How old values appear under a new type. */
    const CASES: readonly { from: ColumnKind; to: ColumnKind; values: readonly (readonly [was: string, is: string])[] }[] = [
      {
        from: 'string',
        to: 'int',
        values: [
          ['"5"', '5'],
          ['"-5"', '-5'],
          ['"5x"', 'null'],
          ['""', 'null'],
          ['"99999999999"', 'null'],
          ['null', 'null'],
        ],
      },
      {
        from: 'string',
        to: 'ubigint',
        values: [
          ['"18446744073709551615"', '18446744073709551615'],
          ['"-1"', 'null'],
        ],
      },
      {
        from: 'string',
        to: 'float',
        values: [
          ['"0.1"', '0.1'],
          ['"1e3"', '1000'],
          ['"one"', 'null'],
        ],
      },
      {
        from: 'string',
        to: 'boolean',
        values: [
          ['"true"', 'true'],
          ['"false"', 'false'],
          ['"yes"', 'null'],
        ],
      },
      {
        from: 'string',
        to: 'timestamp',
        values: [
          ['"2024-04-19T10:00:00.5+02:00"', '"2024-04-19T08:00:00.5Z"'],
          ['"yesterday"', 'null'],
          ['"5"', 'null'],
        ],
      },
      {
        from: 'string',
        to: 'strings',
        values: [
          ['"a"', '["a"]'],
          ['"[\\"a\\",\\"b\\"]"', '["a","b"]'],
          ['null', '[]'],
        ],
      },
      { from: 'string', to: 'json', values: [['"a"', '"a"']] },
      {
        from: 'int',
        to: 'string',
        values: [
          ['5', '"5"'],
          ['-5', '"-5"'],
          ['null', 'null'],
        ],
      },
      {
        from: 'int',
        to: 'bigint',
        values: [
          ['5', '5'],
          ['-5', '-5'],
          ['null', 'null'],
        ],
      },
      {
        from: 'int',
        to: 'boolean',
        values: [
          ['1', 'true'],
          ['0', 'false'],
          ['2', 'null'],
        ],
      },
      { from: 'bigint', to: 'int', values: [['5', '5']] },
      {
        from: 'bigint',
        to: 'ubigint',
        values: [
          ['5', '5'],
          ['9223372036854775807', '9223372036854775807'],
          ['null', 'null'],
        ],
      },
      {
        from: 'bigint',
        to: 'ubigint',
        values: [
          ['5', '5'],
          ['-5', 'null'],
        ],
      },
      {
        from: 'bigint',
        to: 'float',
        values: [
          ['5', '5'],
          ['9007199254740993', 'null'],
        ],
      },
      {
        from: 'ubigint',
        to: 'bigint',
        values: [
          ['5', '5'],
          ['18446744073709551615', 'null'],
        ],
      },
      {
        from: 'float',
        to: 'int',
        values: [
          ['5', '5'],
          ['5.5', 'null'],
          ['1e300', 'null'],
        ],
      },
      { from: 'float', to: 'string', values: [['0.1', '"0.1"']] },
      {
        from: 'boolean',
        to: 'string',
        values: [
          ['true', '"true"'],
          ['false', '"false"'],
        ],
      },
      {
        from: 'boolean',
        to: 'int',
        values: [
          ['true', '1'],
          ['false', '0'],
        ],
      },
      {
        from: 'timestamp',
        to: 'string',
        values: [
          ['"2024-04-19T10:00:00.120Z"', '"2024-04-19T10:00:00.12Z"'],
          ['"2024-04-19T10:00:00Z"', '"2024-04-19T10:00:00Z"'],
        ],
      },
      { from: 'timestamp', to: 'bigint', values: [['"2024-04-19T10:00:00Z"', 'null']] },
      {
        from: 'strings',
        to: 'string',
        values: [
          ['["a","b"]', '"[\\"a\\",\\"b\\"]"'],
          ['[]', 'null'],
        ],
      },
    ]
    const SAMPLE: Readonly<Record<ColumnKind, string>> = {
      string: '"new"',
      int: '7',
      smallint: '7',
      bigint: '7',
      ubigint: '18446744073709551615',
      float: '0.5',
      boolean: 'true',
      timestamp: '"2025-01-01T00:00:00.5Z"',
      json: '"{}"',
      strings: '["new"]',
    }

    test.each(CASES)('$from becomes $to: old rows stay readable, new ones are exact', async ({ from, to, values }) => {
      const table = newTable()
      await store(
        table,
        from,
        values.map(([was]) => was),
        'a',
      )
      await store(table, to, [SAMPLE[to]], 'b')
      const wanted = [...values.map(([, is]) => is), SAMPLE[to]]
      expect((await read(table)).map((text) => text.replaceAll(', ', ','))).toEqual(wanted)
      const found = await lake.query(
        `SELECT count() FROM logs.${table} WHERE b = (SELECT b FROM logs.${table} WHERE p_row_id = 'b0')`,
      )
      expect(found.rows).toEqual([`[${wanted.filter((value) => value === SAMPLE[to]).length}]`])
    })

    test('values that did not convert can still be read, and reappear when the type change is reverted', async () => {
      const table = newTable()
      await store(table, 'string', ['"5"', '"five"'], 'a')
      await store(table, 'int', ['6'], 'b')
      expect(await read(table)).toEqual(['5', 'null', '6'])
      expect(await read(table, 'p_was_1_string_b')).toEqual(['"5"', '"five"', 'null'])
      await store(table, 'string', ['"seven"'], 'c')
      expect(await read(table)).toEqual(['"5"', '"five"', '"6"', '"seven"'])
      await store(table, 'boolean', ['true'], 'd')
      expect(await read(table)).toEqual(['null', 'null', 'null', 'null', 'true'])
      expect(await read(table, 'p_was_3_string_b')).toEqual(['"5"', '"five"', '"6"', '"seven"', 'null'])
    })

    test('late rows finished before a change go into the column of their type, each once', async () => {
      const table = newTable()
      await store(table, 'string', ['"5"'], 'a')
      await store(table, 'int', ['6'], 'b')
      // The same insert again, as after a crash, and one that had not been sent.
      await store(table, 'string', ['"5"'], 'a', true)
      await store(table, 'string', ['"7"'], 'c', true)
      await store(table, 'int', ['8'], 'd')
      expect(await read(table)).toEqual(['5', '6', '7', '8'])
      const { columns } = await lake.query(`SELECT * FROM logs.${table}`)
      expect(columns.map(({ name }) => name)).toEqual([...standard.map(({ name }) => name), 'p_was_1_string_b', 'b'])
    })

    test('late signed rows fit a column that became unsigned', async () => {
      const table = newTable()
      await store(table, 'bigint', ['5'], 'a')
      await store(table, 'ubigint', ['6'], 'b')
      await store(table, 'bigint', ['7'], 'c', true)
      expect(await read(table)).toEqual(['5', '6', '7'])
      const { columns } = await lake.query(`SELECT b FROM logs.${table}`)
      expect(columns).toEqual([{ name: 'b', type: 'Nullable(UInt64)' }])
    })

    test('columns of earlier types are in no view over all tables', async () => {
      const table = newTable()
      await store(table, 'string', ['"5"'], 'a')
      await store(table, 'int', ['6'], 'b')
      const { columns } = await lake.query('SELECT * FROM logs.all LIMIT 0')
      expect(columns.filter(({ name }) => name.startsWith('p_was'))).toEqual([])
    })

    test('a sorting column cannot change its type: the change is refused permanently', async () => {
      const table = newTable()
      await store(table, 'string', ['"5"'], 'a')
      const columns = standard.map((column) => (column.name === 'p_parse_time' ? { ...column, kind: 'string' as const } : column))
      const refused = lake.ensure({ ...specOf(table, 'string'), columns })
      await expect(refused).rejects.toBeInstanceOf(Refused)
      await expect(refused).rejects.toThrow("is ordered by 'p_parse_time'")
    })
  })
