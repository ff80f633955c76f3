import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../state/sqlite.ts'
import { messageOf } from '../../util/errors.ts'
import { type Examination, failed, ok, skipped } from './examination.ts'

/** Findings of SQLite to quote. */
const MOST = 3

/** Checks the SQLite files of the data folder for damage. They may be in use. */
export function databaseExamination(dataDir: string, name: 'state' | 'spool'): Examination {
  const file = join(dataDir, `${name}.db`)
  return {
    name,
    run() {
      if (!existsSync(file)) return skipped(`${name}.db does not exist yet`)
      try {
        const db = openSqlite(file, { readonly: true })
        try {
          const rows = db.prepare(`PRAGMA quick_check(${MOST})`).all([]) as { quick_check: string }[]
          const found = rows.map(({ quick_check: text }) => text).filter((text) => text !== 'ok')
          if (found.length > 0) return damaged(found.join('; '))
          return ok(`${name}.db is intact`)
        } finally {
          db.close()
        }
      } catch (error) {
        return damaged(messageOf(error))
      }
    },
  }

  function damaged(why: string) {
    return failed(`${file}: ${why.replace(/\s+/g, ' ').slice(0, 500)}`, 'stop Caracal and restore the data folder from a backup')
  }
}
