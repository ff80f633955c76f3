import type { Config } from '../../config/config.ts'
import { knownMigrations } from '../../state/db.ts'
import { readStateAt } from '../../state/index.ts'
import { nameOf } from '../../state/postgres/place.ts'
import { migrationsOf } from '../../state/postgres/state.ts'
import { messageOf } from '../../util/errors.ts'
import { statePlace } from '../state-place.ts'
import { type Examination, failed, ok, warning } from './examination.ts'

/** Connects to the database of the state as the configuration says. It may be in use. */
export function serverStateExamination(config: Pick<Config, 'data_dir' | 'state'>): Examination {
  return {
    name: 'state',
    async run() {
      const place = statePlace(config)
      const name = place.type === 'postgres' ? nameOf(place) : place.dataDir
      const db = readStateAt(place)
      try {
        const present = await migrationsOf(db)
        const known = await knownMigrations()
        const newer = present.find((one) => !known.includes(one))
        if (newer !== undefined)
          return failed(`database ${name} was migrated to ${newer} by a newer version`, 'start that version')
        if (present.length === 0) return ok(`database ${name} answers, and is empty`)
        if (present.length < known.length)
          return warning(
            `database ${name} answers, and the next start migrates it from ${present.at(-1)} to ${known.at(-1)}`,
            'dump it before, with pg_dump: that is the way back (docs/state.md)',
          )
        return ok(`database ${name} answers`)
      } catch (error) {
        return failed(messageOf((error as Error).cause ?? error), 'correct `state` in the configuration, or the server')
      } finally {
        await db.destroy()
      }
    },
  }
}
