import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, configSchema } from '../../config/config.ts'
import { Spool } from '../../pipeline/spool.ts'
import { definitionKey } from '../../stages/enrich/definition.ts'
import { readState } from '../../state/db.ts'
import { openSqlite } from '../../state/sqlite.ts'
import { openPipeline } from '../pipeline.fixture.ts'
import type { PipelineOptions } from '../pipeline.ts'

/** Sources of logins, and a fifth with logs that only their header describes. */
export const SITES = ['north', 'south', 'east', 'west']

const rule = (id: string, more: string) =>
  `AnalysisType: rule\nRuleID: ${id}\nFilename: ${id.toLowerCase()}.py\nEnabled: true\nLogTypes: [Custom.Login]\n${more}`

/** Every way in which batches of a source depend on each other, and some in which they do not. */
export const CONTENT: Readonly<Record<string, string>> = {
  'login.schema.yml':
    'schema: Custom.Login\nfields:\n  - { name: at, type: timestamp, timeFormats: [unix_ms], isEventTime: true, required: true }\n  - { name: user, type: string, required: true }\n  - { name: ok, type: boolean, required: true }\n  - { name: ip, type: string, indicators: [ip] }\n',
  'failed.yml': rule('Failed', 'Severity: Low\nCreateAlert: false\n'),
  'failed.py':
    'def rule(event):\n    return event.get("ok") is False\n\n\ndef alert_context(event):\n    return {"who": event.get("p_source_id") + event.get("user")}\n',
  'success.yml':
    'AnalysisType: rule\nRuleID: Success\nEnabled: true\nLogTypes: [Custom.Login]\nSeverity: Info\nCreateAlert: false\nDetection:\n  - { Key: ok, Condition: Equals, Value: true }\nAlertContext:\n  - { KeyName: user, KeyValue: { Key: user } }\n',
  'guessed.yml':
    'AnalysisType: correlation_rule\nRuleID: Guessed\nEnabled: true\nSeverity: High\nDetection:\n  - Group:\n      - { ID: Failed, RuleID: Failed, MinMatchCount: 3 }\n      - { ID: Often, RuleID: Often }\n    MatchCriteria:\n      who:\n        - { GroupID: Failed, Match: p_alert_context.who }\n        - { GroupID: Often, Match: p_alert_context.who }\n    LookbackWindowMinutes: 60\n    Schedule: { RateMinutes: 60, TimeoutMinutes: 1 }\n',
  'spray.yml': rule('Spray', 'Severity: Medium\nThreshold: 3\nDedupPeriodMinutes: 60\n'),
  'spray.py':
    'def rule(event):\n    return event.get("ok") is False\n\n\ndef dedup(event):\n    return event.get("p_source_id")\n\n\ndef unique(event):\n    return event.get("user")\n',
  'often.yml': rule('Often', 'Severity: Medium\n'),
  'often.py':
    'from remembering import seen\n\n\ndef rule(event):\n    return event.get("ok") is False and seen(event) % 3 == 0\n\n\ndef title(event):\n    return f"{event.get(\'p_source_id\')} {event.get(\'user\')}"\n\n\ndef alert_context(event):\n    return {"who": event.get("p_source_id") + event.get("user")}\n',
  'remembering.yml': 'AnalysisType: global\nGlobalID: remembering\nFilename: remembering.py\n',
  'remembering.py':
    'from panther_detection_helpers.caching import add_to_string_set, increment_counter\n\n\ndef seen(event):\n    add_to_string_set("users " + event.get("p_source_id"), event.get("user"))\n    return increment_counter(event.get("p_source_id") + event.get("user"))\n',
  'broken.yml': rule('Broken', 'Severity: Low\nInlineFilters:\n  - { Key: user, Condition: Equals, Value: ann }\n'),
  'broken.py': 'def rule(event):\n    return 1 / len(event.get("ip") or "") > 1\n',
  'known.yml': rule('Known', 'Severity: High\n'),
  'known.py':
    'def rule(event):\n    return event.deep_get("p_enrichment", "hosts", "ip", "bad") == "yes"\n\n\ndef dedup(event):\n    return event.get("ip")\n',
  'asked.yml': rule('Asked', 'Severity: Low\n'),
  'asked.py':
    'def rule(event):\n    row = event.lookup("hosts", event.get("ip"))\n    return row is None or row.get("bad") == "yes"\n',
  'hosts.yml':
    'AnalysisType: lookup_table\nLookupName: hosts\nEnabled: true\nFilename: ./hosts.csv\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - { LogType: Custom.Login, Selectors: [ip] }\n',
  'hosts.csv': 'ip,bad\n10.0.0.1,yes\n10.0.0.2,no\n',
}

/** A folder with that content, and a data folder for each number of workers, in which the spool assigns the same row ids. */
export function prepare(folder: string, workers: readonly number[]): readonly Config[] {
  const content = join(folder, 'content')
  mkdirSync(content)
  for (const [name, text] of Object.entries(CONTENT)) writeFileSync(join(content, name), text)
  return workers.map((count) => {
    const dataDir = join(folder, `data-${count}`)
    mkdirSync(dataDir)
    // Row ids are derived from these.
    const db = openSqlite(join(dataDir, 'spool.db'))
    const spool = new Spool(db)
    db.exec(`UPDATE meta SET value = 'epoch' WHERE key = 'epoch'`)
    spool.close()
    const sources = [...SITES.map((id) => ({ type: 'http', id, log_types: ['Custom.Login'] })), { type: 'http', id: 'sensor' }]
    const config = configSchema.parse({ sources, workers: count, python_children: 'shared', flush_ms: 200 })
    return { ...config, data_dir: dataDir, content: [content] }
  })
}

/** A pipeline that reads, with its tables in force. */
export async function startPipeline(config: Config, workers?: PipelineOptions['workers']) {
  const opened = await openPipeline(config, undefined, workers)
  await opened.opened
  const { tables } = await opened.pipeline.call('content')
  const put = () => putTables(opened.pipeline, tables, config)
  await put()
  await opened.pipeline.call('start')
  return { ...opened, config, put }
}

type Opened = Awaited<ReturnType<typeof openPipeline>>

async function putTables(pipeline: Opened['pipeline'], tables: Awaited<ReturnType<typeof contentOf>>['tables'], config: Config) {
  for (const definition of tables.filter(({ name }) => name === 'hosts')) {
    const path = join(config.data_dir, '../content/hosts.csv')
    const [fileName, date] = ['hosts.csv', undefined]
    await pipeline.call('acceptTable', { table: 'hosts', definition: definitionKey(definition), path, fileName, date })
  }
}

const contentOf = (pipeline: Opened['pipeline']) => pipeline.call('content')

export type Started = Awaited<ReturnType<typeof startPipeline>>

export async function send({ spool }: Started, bodies: readonly Body[]): Promise<void> {
  for (const { source, text, receivedMs } of bodies)
    await spool.call('append', { sourceId: source, decoding: 'lines', receivedMs, body: Buffer.from(text) })
}

export interface Body {
  readonly source: string
  readonly text: string
  readonly receivedMs: number
}

/** All results of what was sent, except commit times. */
export async function outcomeOf({ pipeline, lake, config }: Started) {
  for (const source of [...SITES, 'sensor']) await pipeline.call('settled', source)
  await pipeline.call('flush')
  const rows = async (table: string, left: readonly string[]) => {
    const but = left.length > 0 ? ` EXCEPT (${left.join(', ')})` : ''
    // The index of indicators adds up counts in the background.
    const final = table === 'monitor.indicators' ? ' FINAL' : ''
    const { rows } = await lake.query(`SELECT *${but} FROM ${table}${final}`, { maxRows: 100_000 })
    return [...rows].sort()
  }
  const tables = await lake.query(
    "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema IN ('logs', 'matches', 'signals', 'monitor') AND table_name NOT IN ('all', 'lake_layout') ORDER BY 1",
  )
  const lakeRows: Record<string, readonly string[]> = {}
  for (const row of tables.rows) {
    const [table] = JSON.parse(row) as [string]
    lakeRows[table] = await rows(table, NOT_COMPARED[table.split('.')[0]!] ?? [])
  }
  const db = readState(config.data_dir)
  try {
    const alerts = await db.selectFrom('alerts').select(['alert_id', 'rule_id', 'opened', 'event_count', 'severity']).execute()
    const cache = await db.selectFrom('rule_cache').select('entry').execute()
    return {
      lakeRows,
      alerts: alerts.map((row) => JSON.stringify(row)).sort(),
      cache: cache.map(({ entry }) => withoutTimes(entry)).sort(),
      counters: (await db.selectFrom('counters').selectAll().execute()).map((row) => JSON.stringify(row)).sort(),
      unknown: (await db.selectFrom('unknown_fields').selectAll().execute()).map((row) => JSON.stringify(row)).sort(),
    }
  } finally {
    await db.destroy()
  }
}

const NOT_COMPARED: Readonly<Record<string, readonly string[]>> = {
  matches: ['p_alert_creation_time'],
  signals: ['p_parse_time'],
  // Spans depend on which events came in one insert.
  monitor: ['p_parse_time', 'spans'],
}

function withoutTimes(entry: string): string {
  const [key, text] = JSON.parse(entry) as [string, string]
  const { expires, written, ...value } = JSON.parse(text) as Record<string, unknown>
  const { strings } = value
  return JSON.stringify([key, { ...value, ...(Array.isArray(strings) && { strings: [...strings].sort() }) }])
}
