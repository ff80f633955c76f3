import type { TableSpec } from '../../src/model/column.ts'
import { STANDARD_COLUMNS } from '../../src/model/standard-columns.ts'
import { createChdbLake } from '../../src/stages/store/chdb.ts'
import { insertInto } from '../../src/stages/store/insert.fixture.ts'

const DAY_MS = 86_400_000
/** Of each day. */
export const ROWS = 200
const monday = (Math.floor((Date.now() / DAY_MS - 4) / 7) * 7 + 4 - 28) * DAY_MS
/** Six days of a week that is over, epoch ms. */
export const DAYS: readonly number[] = [0, 1, 2, 3, 4, 5].map((n) => monday + n * DAY_MS)
/** As in `2026-03-02`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** Fills the lake of a data folder with connections that were received on `DAYS`, and a second ago. */
export async function fillOldLake(dataDir: string): Promise<void> {
  const lake = await createChdbLake({ dataDir, fsync: false })
  const spec: TableSpec = { database: 'logs', table: 'zeek_conn', columns: STANDARD_COLUMNS, timeColumn: 'p_event_time' }
  await lake.ensure(spec)
  const rows = [...DAYS, Date.now() - 1000].flatMap((ms, day) =>
    Array.from({ length: ROWS }, (_, i) =>
      STANDARD_COLUMNS.map(({ name, kind }) => {
        if (kind === 'timestamp') return new Date(ms + i).toISOString()
        if (kind === 'strings') return [`${day}.${i}`]
        return name === 'p_log_type' ? 'Zeek.Conn' : kind === 'string' ? `${name} ${day} ${i}` : kind === 'int' ? 1 : null
      }),
    ),
  )
  await insertInto(lake, spec, rows, 'rows')
  await lake.close()
}
