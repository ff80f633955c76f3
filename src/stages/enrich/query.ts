import { z } from 'zod'
import { hash16 } from '../../util/hash.ts'
import { stringifyJson } from '../../util/json.ts'
import { contentKeys, tooLarge } from './content.ts'
import { defineProvider } from './provider.ts'
import { TableError } from './table.ts'

/** Rows without ORDER BY come in any order: sorted, the same rows are the same content. */
const ORDERED = /\border\s+by\b/i

/** A table of what a query finds in the lake. */
export const query = defineProvider({
  type: 'query',
  summary: 'Runs an SQL query over the lake on a schedule; its rows are the table.',
  config: z.object({
    sql: z
      .string()
      .min(1)
      .max(100_000)
      .describe("One SELECT, as in a scheduled query: Snowflake's SQL over Panther's table names, or a template."),
    max_rows: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(100_000)
      .describe('Maximum number of rows; a longer result is refused, and the last good table stays.'),
    max_bytes: contentKeys.max_bytes,
  }),
  example: { sql: 'SELECT user, MAX(p_event_time) AS last_seen FROM panther_logs.public.custom_login GROUP BY user' },
  isLocal: false,
  format: 'jsonl',
  periodMinutes: 60,
  firstDelayMs: 10_000,
  mayStartEmpty: true,

  create({ sql, max_rows: maxRows, max_bytes: maxBytes }, { runQuery, table }) {
    return {
      async refresh(validators, signal) {
        signal.throwIfAborted()
        if (!runQuery) throw new TableError('there is no lake to query here: such tables are filled by `caracal up`')
        const { rows, truncated } = await runQuery({ table, sql, maxRows }, signal)
        if (truncated)
          throw new TableError(`the result of the query has more than ${maxRows} rows (max_rows): narrow it, or raise the limit`)
        const lines = rows.map((row) => `${stringifyJson(row)}\n`)
        if (!ORDERED.test(sql)) lines.sort()
        const bytes = Buffer.from(lines.join(''))
        if (bytes.length > maxBytes) throw tooLarge(maxBytes)
        const hash = hash16(lines.join(''))
        return validators['rows'] === hash ? undefined : { bytes, validators: { rows: hash } }
      },
    }
  },
})
