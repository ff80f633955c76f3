import type { RetentionCalls } from '../../src/engine/lifetime/open-retention.ts'
import type { Restore } from '../../src/model/archive.ts'
import { Refused } from '../../src/util/errors.ts'

const DELETED = { name: 'logs.zeek_conn 2026-03-02', rows: 7, archived: 7, reason: 'age', atMs: 1_000_000 } as const

const RESTORE: Omit<Restore, 'logType' | 'from' | 'to' | 'keepDays' | 'by'> = {
  ...{ id: 'r1', table: 'zeek_conn', state: 'done', message: undefined, startedMs: 1000, finishedMs: 2000 },
  ...{ keptUntilMs: 604_801_000, days: 1, daysDone: 1, rows: 7, restored: 5, present: 2 },
}

/** Retention and its archive for tests of API and CLI: one archived day of Zeek.Conn. */
export function fakeRetention(): RetentionCalls {
  const restored: Restore[] = []
  return {
    retention: async () => ({
      lastRun: { atMs: 2_000_000, deleted: [DELETED], failed: ['logs.a 2026-02-23: the disk is full'] },
      deleted: [DELETED],
      archive: '/archive',
      bytes: 5_000_000,
      logTypes: [{ logType: 'Zeek.Conn', rows: 12, bytes: 4_000_000, since: '2026-03-09', days: 14 }],
    }),
    archived: async () => ({
      place: '/archive',
      last: undefined,
      days: [
        {
          folder: 'logs/zeek_conn/2026-03-02/00112233aabbccdd/',
          manifest: {
            ...{ version: 1, database: 'logs', table: 'zeek_conn', log_type: 'Zeek.Conn', day: '2026-03-02', rows: 7 },
            ...{ checksum: '1', schema_versions: [1], columns: [{ name: 'p_row_id', type: 'String' }] },
            ...{ first_event_time: '2026-03-02T01:00:00.5Z', last_event_time: '2026-03-02T02:00:00Z' },
            files: [{ name: '00000.parquet', rows: 7, bytes: 2048, sha256: '0'.repeat(64) }],
            archived_time: '2026-03-20T12:00:00.000Z',
          },
        },
      ],
    }),
    restoreArchived: async (ask) => {
      if (ask.logType !== 'Zeek.Conn') throw new Refused(`/archive has nothing of ${ask.logType}`)
      restored.unshift({ ...ask, ...RESTORE })
      return restored[0]!
    },
    restores: () => restored,
  }
}
