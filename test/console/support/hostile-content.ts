import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { packageRoot } from '../../../src/util/entry.ts'

/** Markup that runs code if a page takes it as such, and marks that turn the direction of what follows. */
export const HOSTILE =
  '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script> [a](javascript:window.hit=1) \u202egnp.exe\u2066x'
/** No place to break a line at. */
export const LONG = 'W'.repeat(400)
export const HOSTILE_NAME = `${HOSTILE} ${LONG}`
/** Rules may not have markup in their names. */
const RULE_NAME = `[a](javascript:window.hit=1) \u202egnp.exe\u2066x ${LONG}`
/** As long as the names of dashboards may be. */
export const DASHBOARD_NAME = HOSTILE_NAME.slice(0, 200)
/** In all of them. */
export const MARK = '[a](javascript:window.hit=1)'

/** Writes a content folder in which everything that people may write says `HOSTILE`. */
export function writeHostileContent(folder: string): void {
  cpSync(join(packageRoot(), 'starter/content/schemas'), join(folder, 'schemas'), { recursive: true })
  const write = (path: string, document: object) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), stringify(document))
  }
  cpSync(join(packageRoot(), 'test/console/content/rules'), join(folder, 'rules'), { recursive: true })
  write('rules/hostile.yml', {
    AnalysisType: 'rule',
    RuleID: 'Console.Hostile',
    DisplayName: RULE_NAME,
    Filename: 'hostile.py',
    Enabled: true,
    Severity: 'High',
    LogTypes: ['Example.SignIn'],
    Description: HOSTILE_NAME,
    Runbook: HOSTILE_NAME,
    Reference: `javascript:window.hit=1//${LONG}`,
    Tags: [HOSTILE_NAME],
    Reports: { 'MITRE ATT&CK': ['TA0001:T1078', 'TA0042:T9999', HOSTILE_NAME] },
    Tests: [{ Name: HOSTILE_NAME, ExpectedResult: true, Log: { user: HOSTILE, p_log_type: 'Example.SignIn' } }],
  })
  // Fails on every event, with a message that is hostile too.
  writeFileSync(join(folder, 'rules/failing.py'), 'def rule(event):\n    raise Exception(event.get("user"))\n')
  write('rules/failing.yml', {
    AnalysisType: 'rule',
    RuleID: 'Console.Failing',
    DisplayName: RULE_NAME,
    Filename: 'failing.py',
    Enabled: true,
    Severity: 'Low',
    LogTypes: ['Example.SignIn'],
  })
  write('schemas/hostile.yml', {
    schema: 'Custom.Hostile',
    description: HOSTILE_NAME,
    fields: [
      { name: 'time', type: 'timestamp', timeFormats: ['rfc3339'], isEventTime: true, required: true, description: HOSTILE_NAME },
      { name: HOSTILE.replaceAll(/[^\w]/g, '_'), type: 'string', description: HOSTILE_NAME },
    ],
  })
  write('tables/hostile.yml', {
    AnalysisType: 'lookup_table',
    LookupName: 'hostile_table',
    Enabled: true,
    Description: HOSTILE_NAME,
    Filename: 'hostile.csv',
    LogTypeMap: { PrimaryKey: 'user', AssociatedLogTypes: [{ LogType: 'Example.SignIn', Selectors: ['user'] }] },
  })
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  writeFileSync(join(folder, 'tables/hostile.csv'), `user,note\n${quoted(HOSTILE)},${quoted(HOSTILE_NAME)}\n`)
  const query = {
    Description: HOSTILE_NAME,
    Tags: [HOSTILE_NAME],
    ClickHouseQuery: `SELECT 1 AS "${HOSTILE.replaceAll('"', "'")}"`,
  }
  write('queries/saved.yml', { AnalysisType: 'saved_query', QueryName: HOSTILE_NAME, ...query })
  write('queries/scheduled.yml', {
    AnalysisType: 'scheduled_query',
    QueryName: `Scheduled ${HOSTILE}`,
    Enabled: true,
    Schedule: { RateMinutes: 1440, TimeoutMinutes: 1 },
    ...query,
    ClickHouseQuery: `SELECT throwIf(1, ${sqlText(HOSTILE)}) AS n`,
  })
  writeFileSync(join(folder, 'rules/of_rows.py'), 'def rule(event):\n    return True\n')
  write('rules/of_rows.yml', {
    AnalysisType: 'scheduled_rule',
    RuleID: 'Console.OfRows',
    DisplayName: RULE_NAME,
    Filename: 'of_rows.py',
    Enabled: true,
    Severity: 'Low',
    ScheduledQueries: [`Scheduled ${HOSTILE}`],
  })
  const value = `SELECT ${sqlText(HOSTILE_NAME)} AS v, 1 AS n`
  write('dashboards/hostile.yml', {
    AnalysisType: 'dashboard',
    DashboardName: DASHBOARD_NAME,
    Description: HOSTILE_NAME,
    Panels: [
      { Title: DASHBOARD_NAME, Kind: 'table', SQL: value },
      { Title: `Bars ${HOSTILE}`, Kind: 'bar', SQL: value },
      { Title: `Line ${HOSTILE}`, Kind: 'line', SQL: `SELECT now() AS t, ${sqlText(HOSTILE_NAME)} AS v, 1 AS n` },
      { Title: `Map ${HOSTILE}`, Kind: 'map', SQL: value },
      { Title: `Number ${HOSTILE}`, Kind: 'number', SQL: 'SELECT 1 AS n' },
      { Title: `Wrong ${HOSTILE}`, Kind: 'table', SQL: `SELECT throwIf(1, ${sqlText(HOSTILE)})` },
      { Title: `Saved ${HOSTILE}`, Kind: 'number', Search: HOSTILE_NAME },
    ],
  })
}

export function sqlText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
