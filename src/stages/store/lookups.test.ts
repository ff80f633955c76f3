import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LakeHome, lakeKinds } from '../../../test/support/lakes.ts'
import type { JsonObject } from '../../model/json.ts'
import { stringifyJson } from '../../util/json.ts'
import type { Lake } from './lake.ts'
import { type LookupColumn, STORED_LOOKUPS } from './lookups.ts'

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

    const T = Date.parse('2024-04-19T10:00:00Z')
    const at = (minutes: number) => new Date(T + minutes * 60_000).toISOString().replace('.000', '')

    /** The content of a version that came into force that many minutes after T; without rows, none is in force. */
    async function store(table: string, version: string, minutes: number, rows?: readonly JsonObject[]): Promise<void> {
      const file = join(dataDir, 'rows.jsonl')
      writeFileSync(file, (rows ?? []).map((row) => `${JSON.stringify([String(row['k']), stringifyJson(row)])}\n`).join(''))
      const about = JSON.stringify({ version })
      await lake.storeLookup({ table, version, sinceMs: T + minutes * 60_000, file: rows && file, about })
    }

    const rowsOf = async (sql: string) => (await lake.query(sql)).rows.map((row) => JSON.parse(row) as unknown[])

    const text = (name: string): LookupColumn => ({ name, kind: 'text' })
    const views = (table: string, columns: readonly LookupColumn[], reason?: string) =>
      [false, true].map((isHistory) => ({ name: `${table}${isHistory ? '_history' : ''}`, table, isHistory, columns, reason }))

    describe('of three versions', { timeout: 60_000 }, () => {
      beforeAll(async () => {
        await store('ips', 'v1', 0, [
          { k: 'a', v: 1 },
          { k: 'b', v: 1 },
        ])
        const second = [
          { k: 'b', v: 2 },
          { k: 'c', v: 2 },
        ]
        await store('ips', 'v2', 10, second)
        // A repetition changes nothing.
        await store('ips', 'v2', 11, second)
        await store('ips', 'v3', 20, [
          { k: 'a', v: 1 },
          { k: 'b', v: 2 },
        ])
        await store('other', 'o1', 5, [{ k: 'a', v: 9 }])
        await lake.showLookups(views('ips', [text('k'), { name: 'v', kind: 'integer' }]))
      }, 60_000)

      test('the last one is the table', async () => {
        expect(await rowsOf('SELECT k, v, p_version, p_valid_from FROM lookups.ips ORDER BY k')).toEqual([
          ['a', 1, 'v3', at(20)],
          ['b', 2, 'v2', at(10)],
        ])
      })

      test('the history has every row with the time in which it was in force', async () => {
        expect(
          await rowsOf('SELECT k, v, p_version, p_valid_from, p_valid_to FROM lookups.ips_history ORDER BY k, p_valid_from'),
        ).toEqual([
          ['a', 1, 'v1', at(0), at(10)],
          ['a', 1, 'v3', at(20), null],
          ['b', 1, 'v1', at(0), at(10)],
          ['b', 2, 'v2', at(10), null],
          ['c', 2, 'v2', at(10), at(20)],
        ])
      })

      test.each([
        [5, ['a1', 'b1']],
        [15, ['b2', 'c2']],
        [20, ['a1', 'b2']],
      ])('after %i minutes it had the rows of then', async (minutes, found) => {
        const then = `toDateTime64('${at(minutes).replace('Z', '')}', 3, 'UTC')`
        const sql = `SELECT concat(k, toString(v)) FROM lookups.ips_history
      WHERE p_valid_from <= ${then} AND (p_valid_to IS NULL OR p_valid_to > ${then}) ORDER BY 1`
        expect((await rowsOf(sql)).flat()).toEqual(found)
      })

      test('the lake says which version it has', async () => {
        const stored = await rowsOf(`SELECT * FROM (${STORED_LOOKUPS}) WHERE p_table = 'ips'`)
        expect(stored).toEqual([['ips', 'v3', T + 20 * 60_000, '{"version":"v3"}']])
      })
    })

    test('values have the types of their columns, and are exact', { timeout: 60_000 }, async () => {
      const rows = [
        { k: '1', n: 9007199254740993n, f: 0.5, b: true, l: ['x', "y'"], t: 'a', o: { z: [1] } },
        { k: '2', n: null, f: 2, b: null, l: null, t: 7, o: 'plain' },
        { k: '3' },
      ]
      await store('typed', 'v1', 0, rows)
      const columns: LookupColumn[] = [
        text('k'),
        { name: 'n', kind: 'integer' },
        { name: 'f', kind: 'number' },
        { name: 'b', kind: 'boolean' },
        { name: 'l', kind: 'texts' },
        text('t'),
        text('o'),
      ]
      await lake.showLookups(views('typed', columns))
      expect((await lake.query("SELECT n FROM lookups.typed WHERE k = '1'")).rows).toEqual(['[9007199254740993]'])
      expect(await rowsOf('SELECT k, f, b, l, t, o FROM lookups.typed ORDER BY k')).toEqual([
        ['1', 0.5, true, ['x', "y'"], 'a', '{"z":[1]}'],
        ['2', 2, null, [], '7', 'plain'],
        ['3', null, null, [], null, null],
      ])
      const types = await rowsOf(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'lookups' AND table_name = 'typed'",
      )
      expect(types.flat()).toEqual([
        'k',
        'n',
        'f',
        'b',
        'l',
        't',
        'o',
        'p_key',
        'p_version',
        'p_valid_from',
        'p_event_time',
        'p_row',
      ])
    })

    test('a table without rows in the lake says why, whatever is asked of it', { timeout: 60_000 }, async () => {
      await store('large', 'v1', 0, [{ k: 'a' }])
      await store('large', 'v2', 10)
      const reason = "table large isn't here: it's \\ too large"
      await lake.showLookups(views('large', [text('k'), { name: 'l', kind: 'texts' }], reason))
      for (const sql of ['SELECT count() FROM lookups.large', "SELECT l FROM lookups.large_history WHERE k = 'x'"])
        await expect(lake.query(sql)).rejects.toMatchObject({ message: reason })
      await lake.showLookups(views('large', [text('k')]))
      expect(await rowsOf('SELECT k, p_valid_to FROM lookups.large_history')).toEqual([['a', at(10)]])
      expect(await rowsOf('SELECT k FROM lookups.large')).toEqual([])
    })

    test('views that are no longer wanted go', { timeout: 60_000 }, async () => {
      await lake.showLookups([...views('one', []), ...views('two', [])])
      await lake.showLookups(views('two', []))
      const names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'lookups' ORDER BY 1"
      expect((await rowsOf(names)).flat()).toEqual(['two', 'two_history'])
    })

    test('queries read lookups and cannot change them', { timeout: 60_000 }, async () => {
      for (const sql of ["INSERT INTO lookups.two SELECT 'x'", 'DROP VIEW lookups.two', 'SELECT 1 INTO OUTFILE lookups.two'])
        await expect(lake.query(sql)).rejects.toThrow()
    })
  })
