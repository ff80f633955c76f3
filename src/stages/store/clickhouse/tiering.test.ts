import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClickhouseServer, LIMITS, whyNoServer } from '../../../../test/support/clickhouse-server.ts'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import { until } from '../../../../test/support/until.ts'
import type { TableSpec } from '../../../model/column.ts'
import { insertInto } from '../insert.fixture.ts'

const TABLE: TableSpec = {
  database: 'logs',
  table: 't',
  timeColumn: 'p_event_time',
  columns: [
    { name: 'p_row_id', kind: 'string', required: true },
    { name: 'p_event_time', kind: 'timestamp', required: true },
    { name: 'p_parse_time', kind: 'timestamp', required: true },
  ],
}
const DAY = 86_400_000

/** A policy with the disk that every server has, and a second one. */
const xml = (folder: string) => `<storage_configuration>
  <disks><slow><path>${join(folder, 'slow')}/</path></slow></disks>
  <policies><tiered><volumes><default><disk>default</disk></default><cold><disk>slow</disk></cold></volumes></tiered></policies>
</storage_configuration>`

describe.skipIf(whyNoServer)(
  `a server with two kinds of disks${whyNoServer ? ` (${whyNoServer})` : ''}`,
  { timeout: 60_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'caracal-tiering-'))
    let server: ClickhouseServer
    beforeAll(async () => {
      server = await ClickhouseServer.start(LIMITS, { xml })
    })
    afterAll(async () => {
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    })
    const open = (more: object) => openTestLake({ lake: { ...server.lake, ...more } }, folder)
    const disks = () => server.run("SELECT DISTINCT disk_name, rows FROM system.parts WHERE table = 't' AND active ORDER BY rows")
    const definition = () => server.run("SELECT engine_full FROM system.tables WHERE database = 'logs' AND name = 't'")

    test('has old rows on the other one, as the configuration says, and keeps them', async () => {
      const plain = await open({})
      await plain.ensure(TABLE)
      const rows = (ago: number, count: number) => {
        const time = new Date(Date.now() - ago * DAY).toISOString()
        return Array.from({ length: count }, (_, i) => [`${ago} ${i}`, time, time])
      }
      await insertInto(plain, TABLE, rows(100, 1), 'old')
      await insertInto(plain, TABLE, rows(0, 2), 'new')
      expect(await disks()).toBe('["default", 1]\n["default", 2]\n')
      await plain.close()

      const tiered = await open({ storage_policy: 'tiered', cold: { volume: 'cold', after_days: 30 } })
      await until(async () => (await disks()) === '["slow", 1]\n["default", 2]\n' || undefined)
      await insertInto(tiered, TABLE, rows(90, 3), 'late')
      await until(async () => (await disks()) === '["slow", 1]\n["default", 2]\n["slow", 3]\n' || undefined)
      expect((await tiered.query('SELECT count() FROM logs.t')).rows).toEqual(['[6]'])
      await tiered.ensure({ ...TABLE, table: 'u' })
      const fresh = await server.run("SELECT engine_full FROM system.tables WHERE database = 'logs' AND name = 'u'")
      const set = await definition()
      for (const one of [set, fresh]) {
        expect(one).toContain("TTL toDateTime(p_parse_time) + toIntervalDay(30) TO VOLUME 'cold' SETTINGS ")
        expect(one).toContain("storage_policy = 'tiered'")
      }
      await tiered.close()

      // What is set already is not set again, and the rule goes when the configuration lacks it.
      const again = await open({ storage_policy: 'tiered', cold: { volume: 'cold', after_days: 30 } })
      expect(await definition()).toBe(set)
      await again.close()
      await (await open({})).close()
      expect(await definition()).not.toContain('TTL')
      expect(await disks()).toContain('"slow", 3')
    })

    test('is not opened with a policy or a volume that it lacks', async () => {
      await expect(open({ storage_policy: 'none' })).rejects.toThrow(/cannot be opened: .*none/)
    })
  },
)
