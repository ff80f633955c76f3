import { type Document, isMap, isScalar } from 'yaml'
import type { QueryEmail } from '../../model/query.ts'
import type { Schedule } from '../../model/schedule.ts'
import { editYaml, setOrDelete } from './yaml-edit.ts'

/** What a saved or scheduled query says; see `docs/searching.md`. */
export interface SearchDraft {
  readonly sql: string
  readonly description: string
  readonly tags: readonly string[]
  /** Absent: it only runs on demand. */
  readonly schedule: Schedule | undefined
  /** Of one with a schedule. */
  readonly enabled: boolean
  readonly email: QueryEmail | undefined
}

/** Keys of a text for Panther, all of which are read as Snowflake's. */
const PANTHER_KEYS = ['Query', 'SnowflakeQuery', 'DatabricksQuery', 'AthenaQuery']
const OWN_KEY = 'ClickHouseQuery'

/** The file of a query, as `before` was or as a new one, with what the draft says. Throws `Refused` if `before` cannot be read. */
export function searchYaml(before: string, name: string, draft: SearchDraft, dialect: 'clickhouse' | 'snowflake'): string {
  return editYaml(before, `the file of '${name}'`, (document) => {
    const { schedule } = draft
    document.set('AnalysisType', schedule ? 'scheduled_query' : 'saved_query')
    document.set('QueryName', name)
    setOrDelete(document, 'Description', draft.description || undefined)
    setOrDelete(document, 'Enabled', schedule && draft.enabled)
    setOrDelete(document, 'Tags', draft.tags.length > 0 ? draft.tags : undefined)
    setSql(document, draft.sql, dialect)
    setOrDelete(document, 'Schedule', schedule && scheduleKeys(schedule))
    setOrDelete(document, 'EmailConfig', schedule && draft.email && emailKeys(draft.email))
  })
}

function scheduleKeys(schedule: Schedule): Record<string, unknown> {
  const when = 'cron' in schedule ? { CronExpression: schedule.cron } : { RateMinutes: schedule.rateMinutes }
  return { ...when, TimeoutMinutes: schedule.timeoutMinutes }
}

function emailKeys({ recipients, sendEmpty, preferAttachment }: QueryEmail): Record<string, unknown> {
  return { Recipients: recipients, SendEmpty: sendEmpty, PreferAttachment: preferAttachment }
}

/** A file may have a text for Panther next to its own: then only its own is changed. */
function setSql(document: Document, sql: string, dialect: 'clickhouse' | 'snowflake'): void {
  const known = PANTHER_KEYS.filter((key) => document.has(key))
  if (dialect === 'clickhouse') {
    if (!document.has(OWN_KEY) && known[0] !== undefined) {
      rename(document, known[0], OWN_KEY)
      for (const key of known) document.delete(key)
    }
    setOrDelete(document, OWN_KEY, sql)
    return
  }
  if (known.length === 0 && document.has(OWN_KEY)) rename(document, OWN_KEY, 'Query')
  document.delete(OWN_KEY)
  setOrDelete(document, known[0] ?? 'Query', sql)
}

/** In its place among the other keys. */
function rename(document: Document, from: string, to: string): void {
  const pair = isMap(document.contents)
    ? document.contents.items.find(({ key }) => isScalar(key) && key.value === from)
    : undefined
  if (pair) pair.key = document.createNode(to)
}
