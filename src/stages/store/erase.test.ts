import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LakeHome, lakeKinds } from '../../../test/support/lakes.ts'
import type { Column, TableSpec } from '../../model/column.ts'
import { wordPattern } from '../../util/word-pattern.ts'
import { insertInto } from './insert.fixture.ts'

/** Long and random, so that no compression of parts splits it: its first occurrence in a block is there byte by byte. */
const VALUE = 'zq7vkx0pwm3tj9hr'
const columns: Column[] = ['p_row_id', 'p_alert_id', 'user'].map((name) => ({ name, kind: 'string', required: true }))
columns.push({ name: 'note', kind: 'json' }, { name: 'names', kind: 'strings' })
for (const name of ['p_event_time', 'p_parse_time']) columns.push({ name, kind: 'timestamp', required: true })
const table = (database: string): TableSpec => ({ database, table: 'a', columns, timeColumn: 'p_event_time' })
const row = (id: string, alert: string, user: string, note: unknown = null, names: string[] = [], day = '02') => {
  const time = `2026-03-${day}T10:00:00Z`
  return [id, alert, user, note === null ? null : JSON.stringify(note), names, time, time]
}

function files(folders: readonly string[]): string[] {
  const all = folders.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
  return (all as { isFile(): boolean; parentPath: string; name: string }[])
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((file) => readFileSync(file).includes(VALUE))
}

for (const kind of lakeKinds)
  describe.skipIf(kind.why)(kind.title, () => {
    let home: LakeHome
    beforeAll(async () => {
      home = await kind.make()
    })
    afterAll(() => home.remove())

    test('a value is found in every column of text, deleted but for holds, and then in no file of the lake', async () => {
      const lake = await home.open()
      for (const database of ['logs', 'matches']) await lake.ensure(table(database))
      const rows = [
        row('1', '', VALUE),
        row('2', '', 'x', { text: `a\n${VALUE.toUpperCase()}` }),
        row('3', '', 'x', null, ['x', VALUE], '10'),
        row('4', '', `x${VALUE}`),
        row('5', '', 'x'),
        row('6', '', VALUE),
      ]
      await insertInto(lake, table('logs'), rows, 'logs')
      await insertInto(lake, table('matches'), [row('6', 'held', VALUE), row('1', 'other', VALUE)], 'matches')
      expect(files(home.files).length).toBeGreaterThan(0)
      const { re2 } = wordPattern(VALUE)
      const ask = { re2, value: VALUE, held: ['held'] }
      const found = [
        { database: 'logs', table: 'a', rows: 3, held: 1 },
        { database: 'matches', table: 'a', rows: 1, held: 1 },
      ]
      expect(await lake.find(ask)).toEqual(found)
      expect(await lake.erase(ask)).toEqual(found)
      const ids = async () => (await lake.query('SELECT p_row_id FROM logs.a ORDER BY 1')).rows
      expect(await ids()).toEqual(['["4"]', '["5"]', '["6"]'])
      await lake.scrub()
      expect(await lake.erase({ ...ask, held: [] })).toMatchObject([{ rows: 1 }, { rows: 1 }])
      expect(await lake.erase({ ...ask, re2: VALUE, held: [] })).toMatchObject([{ rows: 1 }])
      await lake.scrub()
      expect(await ids()).toEqual(['["5"]'])
      expect(files(home.files)).toEqual([])
      // Deletions and inserts go on as before.
      await insertInto(lake, table('logs'), [row('7', '', VALUE)], 'more')
      expect(await ids()).toEqual(['["5"]', '["7"]'])
      await lake.close()
      const again = await home.open()
      await again.erase({ ...ask, held: [] })
      await again.scrub()
      expect((await again.query('SELECT p_row_id FROM logs.a')).rows).toEqual(['["5"]'])
      expect(files(home.files)).toEqual([])
      await again.close()
    })
  })
