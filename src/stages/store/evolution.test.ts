import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LakeHome, lakeKinds } from '../../../test/support/lakes.ts'
import type { Column, TableSpec } from '../../model/column.ts'
import { blocksOfJson } from '../../util/block/json-rows.ts'
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

    const TIME = '"2024-01-01T00:00:00Z"'

    async function store(columns: readonly Column[], values: string, id: string): Promise<void> {
      const spec: TableSpec = {
        database: 'logs',
        table: 'evolving',
        columns: [
          { name: 'p_row_id', kind: 'string', required: true },
          { name: 'p_event_time', kind: 'timestamp', required: true },
          { name: 'p_parse_time', kind: 'timestamp', required: true },
          ...columns,
        ],
        timeColumn: 'p_event_time',
      }
      await lake.ensure(spec)
      const { blocks, unfit } = blocksOfJson(spec, Buffer.from(`["${id}", ${TIME}, ${TIME}, ${values}]\n`))
      expect(unfit).toEqual([])
      expect(await new RowWriter(join(dataDir, 'rows'), lake).insert(spec, blocks, id)).toEqual([])
    }

    const read = async (what: string) => (await lake.query(`SELECT ${what} FROM logs.evolving ORDER BY p_row_id`)).rows

    test('fields are removed, renamed, added and brought back: the values of all versions can be read', async () => {
      const stays: Column = { name: 'stays', kind: 'int' }
      const gone: Column = { name: 'gone', kind: 'string' }
      await store([stays, gone, { name: 'old', kind: 'string' }], '1, "g1", "o1"', 'a')
      await store([stays, { name: 'fresh', kind: 'string' }, { name: 'more', kind: 'float' }], '2, "o2", 0.5', 'b')
      expect(await read('stays, gone, coalesce(fresh, old), more')).toEqual(['[1, "g1", "o1", null]', '[2, null, "o2", 0.5]'])
      await store([stays, gone], '3, "g3"', 'c')
      expect(await read('gone')).toEqual(['["g1"]', '[null]', '["g3"]'])
    })
  })
