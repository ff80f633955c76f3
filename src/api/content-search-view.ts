import { z } from 'zod'
import type { NamedText } from '../engine/authoring/named-files.ts'
import type { ContentSearch } from '../engine/queries/searches.ts'
import type { SearchRun } from '../model/search-run.ts'

const time = z.string().nullable()

export const emailSchema = z.object({
  recipients: z.array(z.string()),
  send_empty: z.boolean().describe('Also when there are no rows.'),
  prefer_attachment: z.boolean().describe('Rows as a CSV file only, not in the text.'),
})

export const searchRunSchema = z.object({
  time: z.string().describe('When it began.'),
  due_time: z.string().describe('The time that it was about.'),
  ms: z.number().describe('How long it took, until its results were stored.'),
  rows: z.int(),
  truncated: z.boolean().describe('True if there were more rows, which no rule has seen.'),
  matches: z.int().describe('Matches of all rules that judged its rows.'),
  error: z.string().nullable().describe('Why it failed.'),
  by: z.string().nullable().describe('Who asked for it; null: it was due.'),
})

export const contentSearchSchema = z.object({
  name: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  sql: z.string(),
  dialect: z.enum(['clickhouse', 'snowflake']).describe('`snowflake`: it is translated.'),
  file: z.string().describe('Content folder and path.'),
  read_only: z.string().nullable().describe('Why it cannot be changed here; null: it can.'),
  enabled: z.boolean().describe('Of one with a schedule.'),
  schedule: z
    .string()
    .nullable()
    .describe('How often it is due: `every 60 min`, or a cron expression in UTC. Null: it only runs on demand.'),
  runs: z
    .boolean()
    .describe('True if it runs by its schedule: it is enabled, and an enabled rule judges its rows or they are mailed.'),
  rules: z.array(z.string()).describe('Ids of the enabled rules that judge its rows.'),
  email: emailSchema.nullable().describe('Who gets the rows of each run by e-mail.'),
  last_time: time.describe('The due time of its last completed run; before the first run, when it was first seen.'),
  next_time: time.describe('When it is due next.'),
  last_run: searchRunSchema.nullable().describe('The outcome of the last run that rules judged.'),
})

export const contentSearchDetailSchema = contentSearchSchema.extend({
  schedule_keys: z
    .object({ rate_minutes: z.int().nullable(), cron: z.string().nullable(), timeout_minutes: z.int() })
    .nullable()
    .describe('The schedule, as a change takes it.'),
  source: z.object({
    root: z.string().describe('The content folder, as the configuration names it.'),
    path: z.string().describe('Path inside the content folder.'),
    yaml: z.string(),
    revision: z.string().describe('Hash of the file. A change has to name the one that it is based on.'),
  }),
})

export function searchView(search: ContentSearch): z.output<typeof contentSearchSchema> {
  const { name, description, tags, sql, dialect, file, readOnly, enabled, schedule, runs, rules, email, lastMs, nextMs } = search
  return {
    name,
    description,
    tags: [...tags],
    sql,
    dialect: dialect === 'clickhouse' ? 'clickhouse' : 'snowflake',
    file,
    read_only: readOnly ?? null,
    enabled,
    schedule: schedule ? ('cron' in schedule ? schedule.cron : `every ${schedule.rateMinutes} min`) : null,
    runs,
    rules: [...rules],
    email: email
      ? { recipients: [...email.recipients], send_empty: email.sendEmpty, prefer_attachment: email.preferAttachment }
      : null,
    last_time: timeOf(lastMs),
    next_time: timeOf(nextMs),
    last_run: search.lastRun ? searchRunView(search.lastRun) : null,
  }
}

export function searchRunView(run: SearchRun): z.output<typeof searchRunSchema> {
  return {
    time: new Date(run.startedMs).toISOString(),
    due_time: new Date(run.dueMs).toISOString(),
    ms: run.ms,
    rows: run.rows,
    truncated: run.isTruncated,
    matches: run.matches,
    error: run.error ?? null,
    by: run.by ?? null,
  }
}

export function searchDetailView(search: ContentSearch, text: NamedText): z.output<typeof contentSearchDetailSchema> {
  const { root, path, yaml, revision } = text
  const { schedule } = search
  return {
    ...searchView(search),
    schedule_keys: schedule
      ? {
          rate_minutes: 'rateMinutes' in schedule ? schedule.rateMinutes : null,
          cron: 'cron' in schedule ? schedule.cron : null,
          timeout_minutes: schedule.timeoutMinutes,
        }
      : null,
    source: { root, path, yaml, revision },
  }
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
