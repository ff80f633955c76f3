import type { Config } from '../../config/config.ts'
import { getMeta } from '../../state/sources.ts'
import { RETENTION_KEY, readRecord } from '../lifetime/retention-log.ts'
import { hasState, viewState } from '../state-place.ts'
import { type Examination, ok, skipped, warning } from './examination.ts'

const MOST = 3

/** Says when retention last ran over the lake, and what it could not delete. */
export function retentionExamination(config: Pick<Config, 'data_dir' | 'state' | 'retention'>): Examination {
  const { retention } = config
  return {
    name: 'retention',
    async run() {
      if (!hasState(config)) return skipped('there is nothing to delete yet')
      const { lastRun, deleted } = readRecord(await storedIn(config))
      if (!lastRun) return skipped('it has not run with this data folder')
      const rows = lastRun.deleted.reduce((sum, one) => sum + one.rows, 0)
      const archived = lastRun.deleted.reduce((sum, one) => sum + one.archived, 0)
      const before = rows === 0 && deleted[0] ? `; before that, ${deleted[0].name} at ${iso(deleted[0].atMs)}` : ''
      const message = `it last ran at ${iso(lastRun.atMs)}, deleted ${rows} rows and archived ${archived} of them${before}; ${kept(retention)}`
      if (lastRun.failed.length === 0) return ok(message)
      const more = lastRun.failed.length > MOST ? ` and ${lastRun.failed.length - MOST} more` : ''
      return warning(
        `${message}; could not be deleted: ${lastRun.failed.slice(0, MOST).join('; ')}${more}`,
        'it is tried again every hour; `caracal retention` shows all log types, docs/retention.md explains them',
      )
    },
  }
}

async function storedIn(config: Pick<Config, 'data_dir' | 'state'>): Promise<string | undefined> {
  const db = viewState(config)
  try {
    return await getMeta(db, RETENTION_KEY)
  } finally {
    await db.destroy()
  }
}

function kept({ lake_days, log_types }: Config['retention']): string {
  const own = Object.keys(log_types).length
  const all = lake_days === undefined ? 'rows are kept forever' : `rows are kept for ${lake_days} days`
  return own > 0 ? `${all}, but for ${own} settings of log types` : all
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
