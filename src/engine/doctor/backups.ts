import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { knownBackups } from '../backup/known.ts'
import { type Examination, ok, skipped, warning } from './examination.ts'

const DAY_MS = 86_400_000

/** Says when the last backup of the data folder was made; whether it still exists, and where it was moved to, is not known. */
export function backupExamination(
  { data_dir: dataDir, state, backup_max_age_days: maxAgeDays }: Pick<Config, 'data_dir' | 'state' | 'backup_max_age_days'>,
  nowMs: number,
): Examination {
  return {
    name: 'backup',
    run() {
      if (state.type !== 'sqlite')
        return skipped('the state is in PostgreSQL: whether its dumps and copies of the data folder are made is not known here')
      if (!existsSync(join(dataDir, 'state.db'))) return skipped('there is nothing to back up yet')
      const last = knownBackups(dataDir).at(-1)
      const advice = '`caracal backup FOLDER` makes one, also while Caracal runs; run it from a timer (docs/backup.md)'
      if (!last) return warning('none has been made of this data folder', advice)
      const days = (nowMs - Date.parse(last.created)) / DAY_MS
      const message = `the last one was made at ${last.created}, in ${last.folder}`
      if (days > maxAgeDays) return warning(`${message}: ${Math.floor(days)} days ago`, advice)
      return ok(message)
    },
  }
}
