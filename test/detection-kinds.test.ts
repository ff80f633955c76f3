import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertText } from '../src/cli/alert-text.ts'
import type { Io } from '../src/cli/io.ts'
import { Caracal, freePort } from './support/caracal.ts'

/** Every kind of detection in the running program: production behaves as the unit tests of content predict. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-kinds-'))
const content = join(folder, 'content')
const files: Record<string, string> = {
  'custom-login.yml': `schema: Custom.Login
fields:
  - { name: user, type: string, required: true }
  - { name: ok, type: boolean, required: true }
  - { name: ip, type: string, indicators: [ip] }
`,
  'failed.yml': `AnalysisType: rule
RuleID: Kinds.Failed
Filename: failed.py
Enabled: true
LogTypes: [Custom.Login]
Severity: Low
CreateAlert: false
`,
  'failed.py': `def rule(event):
    return event.get("ok") is False


def alert_context(event):
    return {"user": event.get("user")}
`,
  'success.yml': `AnalysisType: rule
RuleID: Kinds.Success
Enabled: true
LogTypes: [Custom.Login]
Severity: Info
CreateAlert: false
Detection:
  - { Key: ok, Condition: Equals, Value: true }
AlertContext:
  - { KeyName: user, KeyValue: { Key: user } }
`,
  'guessed.yml': `AnalysisType: correlation_rule
RuleID: Kinds.Guessed
DisplayName: Password guessed
Enabled: true
Severity: High
Detection:
  - Sequence:
      - { ID: Failed, RuleID: Kinds.Failed, MinMatchCount: 3 }
      - { ID: Success, RuleID: Kinds.Success }
    Transitions:
      - { ID: Then, From: Failed, To: Success, WithinTimeFrameMinutes: 10, Match: [{ On: p_alert_context.user }] }
    LookbackWindowMinutes: 15
    Schedule: { RateMinutes: 5, TimeoutMinutes: 1 }
`,
  'failing.yml': `AnalysisType: rule
RuleID: Kinds.Failing
Filename: failing.py
Enabled: true
LogTypes: [Custom.Failing]
Severity: Low
`,
  'failing.py': `def rule(event):
    return [True][len(event.get("name"))]
`,
  'filtered.yml': `AnalysisType: rule
RuleID: Kinds.Filtered
Filename: filtered.py
Enabled: true
LogTypes: [Custom.Login]
Severity: Medium
InlineFilters:
  - All:
      - { KeyPath: user, Condition: Equals, Value: root }
`,
  'filtered.py': `def rule(event):
    return True


def title(event):
    return f"filtered {event.get('user')}"
`,
  'many.yml': `AnalysisType: scheduled_query
QueryName: Users with failures
Enabled: true
Query: |
  SELECT user, count(*) AS failures FROM panther_logs.public.custom_login
  WHERE ok = false AND p_event_time > dateadd('year', -1, current_timestamp()) GROUP BY user HAVING count(*) > 2
Schedule: { RateMinutes: 30, TimeoutMinutes: 1 }
`,
  'many_rule.yml': `AnalysisType: scheduled_rule
RuleID: Kinds.Scheduled
Filename: many_rule.py
Enabled: true
ScheduledQueries: [Users with failures]
Severity: High
`,
  'many_rule.py': `def rule(event):
    return event.get("failures") > 2


def title(event):
    return f"{event.get('user')} failed {event.get('failures')} times"
`,
  'sessions.yml': `AnalysisType: scheduled_query
QueryName: Users with sessions
Enabled: true
Query: |
  SELECT *, count(*) OVER (PARTITION BY userIdentity:userName) AS sessions FROM panther_logs.public.aws_cloudtrail
  WHERE eventname = 'StartSession' AND userIdentity:type::string ILIKE 'iam%' QUALIFY sessions > 1
Schedule: { RateMinutes: 30, TimeoutMinutes: 1 }
`,
  'unknown.yml': `AnalysisType: scheduled_query
QueryName: Of no table
Enabled: false
Query: SELECT user FROM panther_logs.public.custom_nowhere
Schedule: { RateMinutes: 60, TimeoutMinutes: 1 }
`,
  'bucket.yml': `AnalysisType: policy
PolicyID: Kinds.Bucket.Private
Filename: bucket.py
Enabled: true
ResourceTypes: [AWS.S3.Bucket]
Severity: Critical
Suppressions: ['arn:aws:s3:::site-*', Kinds]
`,
  'bucket.py': `def policy(resource):
    return not resource["Public"]


def title(resource):
    return f"public bucket {resource['Name']}"
`,
  'any.yml': `AnalysisType: policy
PolicyID: Kinds.Any.Named
DisplayName: Resource without a name
Filename: any.py
Enabled: true
Severity: Low
`,
  'any.py': `def policy(resource):
    return "Name" in resource
`,
  'broken.yml': `AnalysisType: rule
RuleID: Kinds.Broken
Filename: broken.py
Enabled: true
LogTypes: [Custom.Login]
Severity: High
`,
  'broken.py': `import no_such_module


def rule(event):
    return True
`,
}
/** Added later, so that its query first becomes due then. */
const sessionsRule: Record<string, string> = {
  'sessions_rule.yml': `AnalysisType: scheduled_rule
RuleID: Kinds.Sessions
Filename: sessions_rule.py
Enabled: true
ScheduledQueries: [Users with sessions]
Severity: High
`,
  'sessions_rule.py': `def rule(event):
    return event.get("eventName") == "StartSession" and event.deep_get("requestParameters", "target") == "i-2"


def title(event):
    return f"{event.deep_get('userIdentity', 'userName')} opened {event['sessions']} sessions"
`,
}
/** A correlation rule that is added later: users with failed logins who logged in within the hour. */
function cameIn(id: string, failed: string): string {
  return `AnalysisType: correlation_rule
RuleID: ${id}
Enabled: true
Severity: Medium
Detection:
  - Sequence: [{ ID: Failed, RuleID: ${failed} }, { ID: Success, RuleID: Kinds.Success }]
    Transitions: [{ ID: Then, From: Failed, To: Success, Match: [{ On: p_alert_context.user }] }]
    LookbackWindowMinutes: 60
`
}
let caracal: Caracal

beforeAll(async () => {
  mkdirSync(content)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(content, name), text)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [
      { type: 'http', id: 'logins', log_types: ['Custom.Login'] },
      { type: 'http', id: 'resources', log_types: ['AWS.S3.Bucket'] },
      { type: 'http', id: 'cloud', log_types: ['AWS.CloudTrail'] },
      { type: 'http', id: 'failing', log_types: ['Custom.Failing'] },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function alertWith(title: string): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = (await (await caracal.fetch('/api/v1/alerts?limit=200')).json()) as { results: Record<string, unknown>[] }
    const found = answer.results.find((alert) => String(alert['title']).includes(title))
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The statement that `alerts show` prints for an alert's events. */
async function printedStatement(title: string): Promise<string> {
  const { alert_id } = await alertWith(title)
  const text = await (await caracal.fetch(`/api/v1/alerts/${String(alert_id)}`)).text()
  const NOTHING_ELSE = { timeline: [], related: { results: [], next: null } }
  const shown = alertText(JSON.parse(text) as Parameters<typeof alertText>[0], text, NOTHING_ELSE, { hasColours: false } as Io)
  return /query "(SELECT .*)"$/m.exec(shown)![1]!
}

/** The rows of the alert's events, once they are in the lake. */
async function eventRows(title: string): Promise<unknown[][]> {
  const sql = await printedStatement(title)
  for (;;) {
    const rows = await caracal.query(sql)
    if (rows.length > 0) return rows
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function post(source: string, events: readonly object[]): Promise<void> {
  const body = events.map((event) => JSON.stringify(event)).join('\n')
  const response = await caracal.fetch(`/ingest/${source}`, { method: 'POST', body })
  expect(response.status).toBe(202)
}

describe('in the running program', { shuffle: false }, () => {
  test('a rule that cannot be loaded is a system alert at once', async () => {
    expect(await alertWith('Kinds.Broken')).toMatchObject({ type: 'SYSTEM', rule_id: 'Caracal.RuleOff' })
    expect(await caracal.query("SELECT cause FROM monitor.rule_errors WHERE p_rule_id = 'Kinds.Broken'")).toHaveLength(1)
  })

  test('a correlation rule joins signals of a Python and a YAML rule as they arrive', async () => {
    const failed = { user: 'ann', ok: false, ip: '192.0.2.1' }
    await post('logins', [failed, failed])
    await post('logins', [failed, { user: 'bob', ok: true }])
    await post('logins', [{ user: 'ann', ok: true }])
    expect(await alertWith('Password guessed')).toMatchObject({
      rule_id: 'Kinds.Guessed',
      type: 'CORRELATION_RULE',
      severity: 'HIGH',
      event_count: 1,
    })
  })

  test('the statement shown with an alert of a correlation rule or a rule error finds its rows', async () => {
    expect(await eventRows('Password guessed')).toHaveLength(1)
    await post('failing', [{ name: 'Fails' }])
    const alert = await alertWith('Kinds.Failing')
    expect(alert).toMatchObject({ type: 'RULE_ERROR' })
    const shown = await (await caracal.fetch(`/api/v1/alerts/${String(alert['alert_id'])}`)).text()
    expect(shown).toContain('failing.py')
    expect(shown).not.toContain(content)
    expect(await eventRows('Kinds.Failing')).toHaveLength(1)
  })

  test('a query that cannot be translated is reported by name at startup, disabled or not', async () => {
    const said = "scheduled_query 'Of no table' cannot run: the table logs.custom_nowhere: no schema makes it"
    expect(caracal.output).toContain(said)
    const rules = (await (await caracal.fetch('/api/v1/rules')).json()) as { notices: string[] }
    expect(rules.notices.filter((notice) => notice.includes('cannot run'))).toEqual([expect.stringContaining(said)])
  })

  test('an inline filter lets a rule see only its events', async () => {
    await post('logins', [{ user: 'root', ok: true }])
    expect(await alertWith('filtered root')).toMatchObject({ event_count: 1 })
    const answer = (await (await caracal.fetch('/api/v1/alerts?rule=Kinds.Filtered')).json()) as { results: { title: string }[] }
    expect(answer.results.map(({ title }) => title)).toEqual(['filtered root'])
  })

  test('a policy alerts on the resource that does not comply, unless it is suppressed', async () => {
    await post('resources', [
      { Name: 'closed', Public: false },
      { Name: 'suppressed open', Public: true, ResourceId: 'arn:aws:s3:::site-1' },
      { Name: 'open', Public: true },
    ])
    expect(await alertWith('public bucket open')).toMatchObject({ severity: 'CRITICAL', event_count: 1 })
    const answer = (await (await caracal.fetch('/api/v1/alerts?rule=Kinds.Bucket.Private')).json()) as {
      results: { title: string; type: string }[]
    }
    expect(answer.results.map(({ title, type }) => [type, title])).toEqual([['POLICY', 'public bucket open']])
  })

  test('a policy without ResourceTypes applies to any resource, but not to logs', async () => {
    await post('resources', [{ Public: false }])
    expect(await alertWith('Resource without a name')).toMatchObject({ log_types: ['AWS.S3.Bucket'], event_count: 1 })
  })

  test('matches without an alert are signals in the lake', async () => {
    for (;;) {
      const rows = await caracal.query('SELECT p_rule_id, count() FROM signals.correlation_signals GROUP BY 1 ORDER BY 1')
      const counts = new Map(rows.map(([rule, n]) => [rule, Number(n)]))
      if (counts.get('Kinds.Failed') === 3 && counts.get('Kinds.Success') === 3 && counts.get('Kinds.Guessed') === 1) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

  test('events of a log type that only a query uses are accepted and stored', async () => {
    const session = (name: string, target: string) => ({
      eventName: 'StartSession',
      userIdentity: { type: 'IAMUser', userName: name },
      requestParameters: { target },
    })
    await post('cloud', [session('dan', 'i-1'), session('dan', 'i-2'), session('eve', 'i-2')])
    for (;;) {
      if (Number((await caracal.query('SELECT count() FROM logs.aws_cloudtrail').catch(() => [[0]]))[0]![0]) === 3) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

  test('correlation rules that are added later see the stored signals', { timeout: 180_000 }, async () => {
    expect(await caracal.end('SIGTERM')).toBe(0)
    writeFileSync(join(content, 'later.yml'), cameIn('Kinds.Later', 'Kinds.Failed'))
    writeFileSync(join(content, 'outer.yml'), cameIn('Kinds.Outer', 'Kinds.Guessed'))
    await caracal.start()
    const later = await alertWith('Kinds.Later: ann')
    expect(later).toMatchObject({ rule_id: 'Kinds.Later', event_count: 1 })
    // The guess was the successful login itself, at the same time.
    expect(await alertWith('Kinds.Outer: ann')).toMatchObject({ rule_id: 'Kinds.Outer', event_count: 1 })
    expect(await caracal.end('SIGTERM')).toBe(0)
    await caracal.start()
    const health = (await (await caracal.fetch('/api/v1/health')).json()) as { problems: string[] }
    expect(health.problems.filter((problem) => problem.includes('orrelation'))).toEqual([])
    const all = (await (await caracal.fetch('/api/v1/alerts?rule=Kinds.Later')).json()) as { results: { event_count: number }[] }
    expect(all.results.map(({ event_count }) => event_count)).toEqual([1])
  })

  test('a scheduled query that was due while the program was down runs once afterwards, and its rule judges the rows', {
    timeout: 180_000,
  }, async () => {
    expect(await caracal.end('SIGTERM')).toBe(0)
    const state = new Database(join(folder, 'data/state.db'))
    const hourAgo = Date.now() - 3_600_000
    const known = state.prepare("SELECT count(*) AS n FROM meta WHERE key LIKE 'query:%'").get([]) as { n: number }
    expect(known.n).toBeLessThanOrEqual(1)
    const { queryKey } = await import('../src/engine/pipeline-calls.ts')
    const insert = state.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    for (const name of ['Users with failures', 'Users with sessions']) insert.run([queryKey(name), String(hourAgo)])
    state.close()
    for (const [name, text] of Object.entries(sessionsRule)) writeFileSync(join(content, name), text)
    await caracal.start()
    const alert = await alertWith('ann failed 3 times')
    expect(alert).toMatchObject({ rule_id: 'Kinds.Scheduled', type: 'SCHEDULED_RULE', event_count: 1 })
    expect(await eventRows('ann failed 3 times')).toHaveLength(1)
    const events = await caracal.fetch(`/api/v1/alerts/${String(alert['alert_id'])}/events`)
    expect(await events.json()).toMatchObject({
      results: [{ p_rule_id: 'Kinds.Scheduled', p_log_type: 'query/Users with failures' }],
    })
    const health = (await (await caracal.fetch('/api/v1/health')).json()) as { problems: string[] }
    expect(health.problems.filter((problem) => problem.startsWith('Query'))).toEqual([])
    const shown = (await (await caracal.fetch(`/api/v1/alerts/${String(alert['alert_id'])}`)).json()) as { sample_event: object }
    const explained = await caracal.fetch('/api/v1/explain', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rule: 'Kinds.Scheduled', event: shown.sample_event }),
    })
    expect(await explained.json()).toMatchObject({ verdict: 'match' })
  })

  test('the rule of a query over a log type without a schema file sees the fields as they were sent', async () => {
    expect(await alertWith('dan opened 2 sessions')).toMatchObject({ rule_id: 'Kinds.Sessions', event_count: 1 })
  })
})
