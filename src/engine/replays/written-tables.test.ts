import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import { readState } from '../../state/db.ts'
import { loadWrittenRows } from '../../state/written-rows.ts'
import { openPipeline } from '../pipeline.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-replay-written-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FILES: Readonly<Record<string, string>> = {
  'past.schema.yml':
    'schema: Custom.Past\nfields:\n  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }\n  - { name: user, type: string }\n',
  'seen.yml': `AnalysisType: lookup_table
LookupName: seen
Events: { LogTypes: [Custom.Past], Columns: { user: user, at: at } }
LogTypeMap: { PrimaryKey: user, AssociatedLogTypes: [{ LogType: Custom.Past, Selectors: [user] }] }
`,
  'known.yml': `AnalysisType: rule
RuleID: Known
Enabled: true
LogTypes: [Custom.Past]
Severity: Low
Detection: [{ Enrichment: { Table: seen, Selector: user, FieldPath: user }, Condition: Exists }]
`,
  'asked.yml': 'AnalysisType: rule\nRuleID: Asked\nEnabled: true\nLogTypes: [Custom.Past]\nSeverity: Low\nFilename: asked.py\n',
  'asked.py': 'def rule(event):\n    return event.lookup("seen", event.get("user")) is not None\n',
}

test('a replay leaves out a table that events write, and says so; a rule that looks something up in it fails', {
  timeout: 120_000,
}, async () => {
  const content = join(folder, 'content')
  mkdirSync(content)
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(content, name), text)
  const config = {
    ...configSchema.parse({ sources: [{ type: 'http', id: 'web', log_types: ['Custom.Past'] }] }),
    data_dir: folder,
    content: [content],
  }
  const { pipeline, spool, lake, close } = await openPipeline(config)
  await pipeline.call('start')
  const at = '2024-01-01T00:00:00Z'
  for (const receivedMs of [1000, 2000]) {
    const body = Buffer.from(JSON.stringify({ at, user: 'ann' }))
    await spool.call('append', { sourceId: 'web', decoding: 'lines', receivedMs, body })
    await pipeline.call('settled', 'web')
  }
  await pipeline.call('flush')
  const matches = 'SELECT p_rule_id, count() FROM signals.correlation_signals GROUP BY 1 ORDER BY 1'
  expect((await lake.query(matches)).rows).toEqual(['["Asked", 1]', '["Known", 1]'])
  const db = readState(folder)
  const before = await loadWrittenRows(db, ['seen'])
  expect(before.tables).toMatchObject([{ rows: [{ key: 'ann', version: 1, writtenMs: 2000 }] }])
  const ask = {
    kind: 'events',
    logTypes: ['Custom.Past'],
    rules: [],
    fromMs: 0,
    toMs: 8.64e15,
    by: 'event',
    dryRun: true,
    deliver: false,
  } as const
  await pipeline.call('addReplay', ask)
  await expect.poll(async () => (await pipeline.call('replays'))[0]!.state, { timeout: 60_000 }).toBe('done')
  const [replay] = await pipeline.call('replays')
  expect(replay!.notes['table seen']).toBe(
    'Events write table seen as they arrive, so this replay neither joins it to events nor writes it.',
  )
  const of = (rule: string) => replay!.report.rules.find(({ ruleId }) => ruleId === rule)
  expect(of('Known')?.matches ?? 0).toBe(0)
  expect(of('Asked')).toMatchObject({ matches: 0, errors: 2 })
  expect(of('Asked')!.lastError).toContain("table 'seen' is written by events as they arrive, and has no rows in a replay")
  expect(await loadWrittenRows(db, ['seen'])).toEqual(before)
  await db.destroy()
  await pipeline.call('stop')
  await close()
})
