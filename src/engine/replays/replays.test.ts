import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { configSchema } from '../../config/config.ts'
import type { EventReplay, Replay } from '../../model/replay.ts'
import { versionOf } from '../../stages/enrich/content.ts'
import { tableFolder } from '../../stages/enrich/versions/files.ts'
import { VersionStore } from '../../stages/enrich/versions/version-store.ts'
import { listAlerts } from '../../state/alert-list.ts'
import { readState } from '../../state/db.ts'
import { openPipeline } from '../pipeline.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-replays-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The rule matches if this field is true; each value is a different version of the rule. */
const versions = ['odd', 'big'] as const
type Version = (typeof versions)[number]

interface Sent {
  readonly odd: boolean
  readonly big: boolean
  /** Minutes after the first time. */
  readonly minute: number
}

const FIRST_MS = Date.UTC(2024, 0, 1)

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      send: fc.array(fc.record({ odd: fc.boolean(), big: fc.boolean(), minute: fc.nat(600) }), { minLength: 1, maxLength: 12 }),
    }),
  },
  fc.record({ edit: fc.constantFrom(...versions) }),
  fc.record({ replay: fc.tuple(fc.nat(600), fc.nat(600)), dryRun: fc.boolean() }),
)

let runs = 0

/** A pipeline with the rule and its log type. */
async function start(...table: readonly (readonly string[])[]) {
  const data_dir = join(folder, `run-${++runs}`)
  const content = join(data_dir, 'content')
  mkdirSync(content, { recursive: true })
  const edit = (version: Version) =>
    writeFileSync(
      join(content, 'rule.yml'),
      `AnalysisType: rule\nRuleID: R\nEnabled: true\nLogTypes: [Custom.Past]\nSeverity: High\nDedupPeriodMinutes: 60\nDetection:\n  - Key: ${version}\n    Condition: Equals\n    Value: true\n`,
    )
  edit('odd')
  if (table.length > 0) writeFileSync(join(content, 'marks.yml'), `${table.flat().join('\n')}\n`)
  const fields = ['odd', 'big'].map((name) => `  - name: ${name}\n    type: boolean\n`).join('')
  writeFileSync(
    join(content, 'past.schema.yml'),
    `schema: Custom.Past\nfields:\n  - name: at\n    type: timestamp\n    timeFormats: [rfc3339]\n    isEventTime: true\n${fields}`,
  )
  const config = {
    ...configSchema.parse({ sources: [{ type: 'http', id: 'web', log_types: ['Custom.Past'] }] }),
    data_dir,
    content: [content],
  }
  const opened = await openPipeline(config)
  await opened.pipeline.call('start')
  return { ...opened, edit, data_dir, content, config }
}

type Run = Awaited<ReturnType<typeof start>>

async function send({ spool, pipeline }: Run, events: readonly Sent[]): Promise<void> {
  const lines = events.map(({ minute, ...fields }) =>
    JSON.stringify({ ...fields, at: new Date(FIRST_MS + minute * 60_000).toISOString() }),
  )
  await spool.call('append', {
    sourceId: 'web',
    decoding: 'lines',
    receivedMs: Date.now(),
    body: Buffer.from(`${lines.join('\n')}\n`),
  })
  await pipeline.call('settled', 'web')
}

async function replay({ pipeline }: Run, ask: Partial<EventReplay> = {}): Promise<Replay> {
  const whole = {
    kind: 'events',
    logTypes: ['Custom.Past'],
    rules: [],
    fromMs: 0,
    toMs: 8.64e15,
    by: 'event',
    dryRun: false,
    deliver: false,
    ...ask,
  } as const
  const { id } = await pipeline.call('addReplay', whole)
  for (;;) {
    const now = (await pipeline.call('replays')).find((one) => one.id === id)!
    if (now.state === 'done') return now
    if (now.state === 'failed') throw new Error(JSON.stringify(now.notes))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('any number of live and replayed runs: each match exists once, and no window mixes both', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 7 }), async (steps) => {
      const run = await start()
      let version: Version = 'odd'
      const live = { odd: 0, big: 0 }
      const sent: Sent[] = []
      for (const one of [{ send: [{ odd: true, big: true, minute: 0 }] }, ...steps]) {
        if ('send' in one) {
          await send(run, one.send)
          sent.push(...one.send)
          live[version] += one.send.filter((event) => event[version]).length
        } else if ('edit' in one) {
          version = one.edit
          run.edit(version)
          if ((await run.pipeline.call('buildContent')).kind === 'built') await run.pipeline.call('swapContent')
        } else {
          const [from, to] = one.replay
          const range = { fromMs: FIRST_MS + Math.min(from, to) * 60_000, toMs: FIRST_MS + (Math.max(from, to) + 1) * 60_000 }
          const { report } = await replay(run, { ...range, dryRun: one.dryRun })
          expect(report.records).toBe(
            sent.filter(({ minute }) => minute >= Math.min(from, to) && minute <= Math.max(from, to)).length,
          )
        }
      }
      const total = sent.filter((event) => event[version]).length
      const tallyOf = ({ report }: Replay) => report.rules.map(({ matches, known }) => [matches, known])
      const dry = await replay(run, { dryRun: true })
      const first = await replay(run)
      expect([dry.report.rules, dry.report.alerts > 0]).toEqual([first.report.rules, first.report.alerts > 0])
      expect(tallyOf(await replay(run))).toEqual(total > 0 ? [[0, total]] : [])

      await run.pipeline.call('flush')
      const { rows } = await run.lake.query(
        'SELECT p_rule_version, count(), uniqExact(p_row_id) FROM signals.correlation_signals GROUP BY p_rule_version',
      )
      const stored = rows.map((row) => JSON.parse(row) as [string, number, number])
      for (const [, matches, events] of stored) expect(matches).toBe(events)
      if (total > 0) expect(stored.map(([, matches]) => matches)).toContain(total)

      const state = readState(run.data_dir)
      const alerts = await listAlerts(state, { limit: 1000 })
      await state.destroy()
      const sum = (retroactive: number) =>
        alerts.filter((alert) => alert.retroactive === retroactive).reduce((n, { event_count }) => n + event_count, 0)
      expect(sum(0)).toBe(live.odd + live.big)
      expect(sum(0) + sum(1)).toBe(stored.reduce((n, [, matches]) => n + Number(matches), 0))
      await run.pipeline.call('stop')
      await run.close()
    }),
    { numRuns: 3 },
  )
})

test('what a rule missed while it could not be loaded is judged as soon as it loads', { timeout: 120_000 }, async () => {
  const run = await start()
  const content = join(run.data_dir, 'content')
  const code = (first: string) =>
    writeFileSync(join(content, 'late.py'), `${first}\n\ndef rule(event):\n    return event.get("big")\n`)
  code('import no_such_module')
  writeFileSync(
    join(content, 'late.yml'),
    'AnalysisType: rule\nRuleID: Late\nFilename: late.py\nEnabled: true\nLogTypes: [Custom.Past]\nSeverity: High\n',
  )
  await run.pipeline.call('stop')
  await run.close()
  const again = { ...run, ...(await openPipeline(run.config)) }
  await again.pipeline.call('start')
  const sent = [true, false, true].map((big, minute) => ({ odd: false, big, minute }))
  await send(again, sent)
  expect(await again.pipeline.call('replays')).toEqual([])
  code('')
  expect((await again.pipeline.call('buildContent')).kind).toBe('built')
  await again.pipeline.call('swapContent')
  await expect
    .poll(async () => (await again.pipeline.call('replays')).map(({ state }) => state), { timeout: 60_000 })
    .toEqual(['done'])
  const [late] = await again.pipeline.call('replays')
  expect(late!.ask).toMatchObject({ rules: ['Late'], logTypes: ['Custom.Past'], by: 'received', deliver: true })
  expect(late!.report).toMatchObject({ records: 3, rules: [{ ruleId: 'Late', matches: 2 }], alerts: 1 })
  expect(again.events.rules.problems).toEqual([])
  await again.pipeline.call('stop')
  await again.close()
})

test('a replay with a slow rule ends immediately when it is cancelled, and stores nothing of the page in progress', {
  timeout: 120_000,
}, async () => {
  const run = await start()
  const content = join(run.data_dir, 'content')
  writeFileSync(join(content, 'slow.py'), 'import time\n\n\ndef rule(event):\n    time.sleep(0.4)\n    return True\n')
  writeFileSync(
    join(content, 'slow.yml'),
    'AnalysisType: rule\nRuleID: Slow\nFilename: slow.py\nEnabled: true\nLogTypes: [Custom.Past]\nSeverity: High\n',
  )
  await send(
    run,
    Array.from({ length: 200 }, (_, minute) => ({ odd: false, big: true, minute })),
  )
  expect((await run.pipeline.call('buildContent')).kind).toBe('built')
  await run.pipeline.call('swapContent')
  const ask = {
    kind: 'events',
    logTypes: ['Custom.Past'],
    rules: ['Slow'],
    fromMs: 0,
    toMs: 8.64e15,
    by: 'event',
    dryRun: false,
    deliver: false,
  } as const
  const { id } = await run.pipeline.call('addReplay', ask)
  await expect
    .poll(async () => (await run.pipeline.call('replays')).map(({ parts }) => parts?.length), { timeout: 60_000 })
    .toEqual([1])
  // Judging the page of 200 events takes over a minute.
  expect(await run.pipeline.call('cancelReplay', id)).toMatchObject({
    state: 'cancelled',
    cursor: { part: 0 },
    notes: {},
    report: { records: 0 },
  })
  await run.pipeline.call('flush')
  expect((await run.lake.query("SELECT count() FROM signals.correlation_signals WHERE p_rule_id = 'Slow'")).rows).toEqual(['[0]'])
  await run.pipeline.call('stop')
  await run.close()
})

test('senseless requests are refused, with what to do', async () => {
  const run = await start()
  const refused = (ask: Partial<EventReplay>) => expect(replay(run, ask)).rejects
  await refused({ logTypes: ['Custom.Pasta'] }).toThrow("did you mean 'Custom.Past'")
  await refused({ logTypes: [] }).toThrow('specify the log types')
  await refused({ rules: ['S'] }).toThrow("no enabled rule 'S'")
  await refused({ fromMs: Date.now() + 60_000 }).toThrow('is empty')
  await refused({ logTypes: ['Zeek.Conn'], rules: ['R'] }).toThrow("rule 'R' judges Custom.Past")
  // A log type without results.
  expect((await replay(run)).report.records).toBe(0)
  await run.pipeline.call('stop')
  await run.close()
})

test('events are joined with the tables as they were at a time, unless a version from then is no longer kept', {
  timeout: 120_000,
}, async () => {
  const run = await start(
    ['AnalysisType: lookup_table', 'LookupName: marks', 'Filename: marks.csv', 'Match: exact', 'LogTypeMap:', '  PrimaryKey: at'],
    ['  AssociatedLogTypes: [{ LogType: Custom.Past, Selectors: [at] }]'],
  )
  const { content, data_dir } = run
  const at = '2024-01-01T00:00:00Z'
  const list = (mark: string) => `at,mark\n${at},${mark}\n`
  writeFileSync(
    join(content, 'rule.yml'),
    'AnalysisType: rule\nRuleID: R\nEnabled: true\nLogTypes: [Custom.Past]\nSeverity: High\nDetection:\n  - { DeepKey: [p_enrichment, marks, at, mark], Condition: Equals, Value: bad }\n',
  )
  const store = await VersionStore.open(tableFolder(join(data_dir, 'tables'), 'marks'))
  const keep = async (mark: string, sinceMs: number) => {
    const bytes = Buffer.from(list(mark))
    await store.keep(await store.candidate(bytes), {
      version: versionOf(bytes),
      sinceMs,
      origin: 'shipped',
      fileName: 'marks.csv',
    })
    return versionOf(bytes)
  }
  await keep('good', 1000)
  const bad = await keep('bad', 2000)
  await keep('mild', 3000)
  await run.pipeline.call('buildContent')
  await run.pipeline.call('swapContent')
  await send(run, [{ odd: true, big: true, minute: 0 }])
  const matches = async (ask: Partial<EventReplay>) => {
    const { report, tables, notes } = await replay(run, { dryRun: true, ...ask })
    return [report.rules[0]?.matches ?? 0, tables?.['marks'], Object.values(notes).length]
  }
  expect(await matches({ asOfMs: 2500 })).toEqual([1, bad, 0])
  expect((await matches({ asOfMs: 1500 }))[0]).toBe(0)
  expect(await matches({ asOfMs: 1 })).toMatchObject([0, undefined, 1])
  await store.prune({ Versions: 1, MaxBytes: 1e9 }, async () => new Set())
  await expect(replay(run, { asOfMs: 2500 })).rejects.toThrow(new RegExp(`version ${bad} of table 'marks'.*no longer kept`))
  await run.pipeline.call('stop')
  await run.close()
})
