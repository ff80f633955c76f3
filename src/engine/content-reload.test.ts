import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { configSchema } from '../config/config.ts'
import type { PastGeneration } from '../model/content-history.ts'
import { noKeys } from '../stages/enrich/api-keys.ts'
import { definitionKey } from '../stages/enrich/definition.ts'
import { systemClock, TableKeeper } from '../stages/enrich/keeper.ts'
import { readState } from '../state/db.ts'
import { stateReader } from '../state/read.ts'
import { createLog } from '../telemetry/log.ts'
import { packageRoot } from '../util/entry.ts'
import { Refused, RetryLater } from '../util/errors.ts'
import type { ContentPlace } from './content-places.ts'
import { ContentReload } from './content-reload.ts'
import { undoContent } from './content-undo.ts'
import { openPipeline } from './pipeline.fixture.ts'
import { Scheduler } from './scheduler.ts'
import type { PipelineThread } from './threads.ts'

/** Content changes in a real pipeline with its lake and tables, while parts of it fail. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-content-reload-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SCHEMA = (type: string) =>
  `schema: Custom.Visit\nfields:\n  - name: ip\n    type: string\n    indicators: [ip]\n  - name: n\n    type: ${type}\n`
const ROWS = (fields: readonly string[]) =>
  `schema: Hosts.Row\nfields:\n${fields.map((name) => `  - name: ${name}\n    type: string\n`).join('')}`
const HOSTS = (more = '') =>
  `AnalysisType: lookup_table\nLookupName: hosts\nEnabled: true\nSchema: Hosts.Row\nFilename: ./hosts.csv\n${more}LogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - LogType: Custom.Visit\n      Selectors: [ip]\n`
const RULE = (severity: string) =>
  `AnalysisType: rule\nRuleID: Visit\nEnabled: true\nLogTypes: [Custom.Visit]\nSeverity: ${severity}\nDetection:\n  - Key: n\n    Condition: Equals\n    Value: 7\n`

let test_ = 0
let world: Awaited<ReturnType<typeof start>>

async function start() {
  const data = join(folder, `data-${++test_}`)
  const content = join(folder, `content-${test_}`)
  for (const one of [data, content]) mkdirSync(one)
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(content, name)), { recursive: true })
    writeFileSync(join(content, name), text)
  }
  write('visit.schema.yml', SCHEMA('int'))
  write('row.schema.yml', ROWS(['ip', 'name']))
  write('hosts.yml', HOSTS())
  write('hosts.csv', 'ip,name\n10.0.0.1,one\n')
  write('rule.yml', RULE('Low'))
  const given = configSchema.parse({ sources: [{ type: 'http', id: 'web', log_types: ['Custom.Visit'] }] })
  const faults = { lake: undefined as Error | undefined, lost: new Set<string>() }
  const { pipeline, spool, lake, events, close } = await openPipeline(
    { ...given, data_dir: data, content: [content] },
    (real) =>
      async (...args) => {
        if (faults.lake) throw faults.lake
        return real.ensure(...args)
      },
  )
  const first = await pipeline.call('content')
  // The response to one call may get lost.
  const call: typeof pipeline.call = async (method, ...argument) => {
    const answer = await pipeline.call(method, ...argument)
    if (faults.lost.has(method)) throw new Error(`the answer to ${method} was lost`)
    return answer
  }
  const keeper = new TableKeeper({
    definitions: first.tables,
    dataFolder: data,
    store: { load: async () => undefined, save: async () => {} },
    changed: async () => {},
    accept: (ref) => pipeline.call('acceptTable', ref),
    keys: noKeys,
    send: () => Promise.reject(new Error('there is no network')),
    clock: systemClock,
    random: () => 0,
    namedVersions: async () => new Set(),
    compare: async () => ({ added: 0, removed: 0, changed: 0, worsened: 0 }),
    onError: (error) => {
      throw error
    },
  })
  await keeper.start()
  const scheduler = new Scheduler({
    queries: [],
    saved: new Map(),
    tables: [],
    lake,
    loadDone: async () => undefined,
    saveSeen: async () => {},
    judge: async () => ({ matches: 0 }),
    saveRun: async () => {},
    flush: async () => {},
    now: Date.now,
    onProblems: () => {},
  })
  const reload = new ContentReload({
    pipeline: { rpc: { call, move: pipeline.move } } as unknown as PipelineThread,
    keeper,
    lookups: { update: () => {} },
    scheduler,
    tableQueries: { update: () => {} },
    events,
    log: createLog({ isPretty: false, write: () => {} }),
    first,
    commits: () => ({}),
  })
  await reload.begin()
  const state = readState(data)
  const read = stateReader(state)
  const places = (): ContentPlace[] => [
    { name: 'shipped packs', folder: join(packageRoot(), 'packs'), kind: 'shipped' },
    { name: content, folder: content, kind: 'folder' },
  ]
  await pipeline.call('start')
  let sent = 0
  return {
    content,
    write,
    faults,
    pipeline,
    keeper,
    reload,
    problems: () => events.problems.current.flatMap(({ what, message }) => (what === 'ContentBroken' ? [message] : [])),
    /** The stored values of one more event: n, and its row of the table. */
    async visit(n: unknown): Promise<unknown[]> {
      const body = Buffer.from(`${JSON.stringify({ ip: '10.0.0.1', n })}\n`)
      await spool.call('append', { sourceId: 'web', decoding: 'lines', receivedMs: Date.now() + sent++, body })
      await pipeline.call('settled', 'web')
      await pipeline.call('flush')
      const { rows } = await lake.query(
        "SELECT n, JSONExtractRaw(assumeNotNull(p_enrichment), 'hosts', 'ip') FROM logs.custom_visit ORDER BY p_parse_time DESC, p_row_id LIMIT 1",
      )
      const [stored, row] = JSON.parse(rows[0]!) as [unknown, string]
      const { p_match, p_version, ...fields } = JSON.parse(row || '{}') as Record<string, unknown>
      return [stored, fields]
    },
    /** Titles of the rule's last two matches. */
    async titles(ruleId: string): Promise<string[]> {
      await pipeline.call('flush')
      const { rows } = await lake.query(
        `SELECT p_alert_title FROM signals.correlation_signals WHERE p_rule_id = '${ruleId}' ORDER BY toUInt32(splitByChar(' ', assumeNotNull(p_alert_title))[2]) DESC LIMIT 2`,
      )
      return rows.map((row) => (JSON.parse(row) as string[])[0]!)
    },
    severity: () => reload.report.content.rules.find(({ id }) => id === 'Visit')?.severity,
    read,
    undo: (name?: string, actor = '') => undoContent(name, actor, { read, places, content: reload }),
    text: (name: string) => (existsSync(join(content, name)) ? readFileSync(join(content, name), 'utf8') : undefined),
    async stop() {
      await state.destroy()
      await reload.stop()
      await scheduler.stop()
      await keeper.stop()
      await pipeline.call('stop')
      await close()
    },
  }
}

beforeEach(async () => {
  world = await start()
}, 60_000)
afterEach(() => world.stop(), 60_000)

test('a table is rebuilt if only the schema of its rows was edited', async () => {
  expect(await world.visit(1)).toEqual([1, { ip: '10.0.0.1', name: 'one' }])
  world.write('row.schema.yml', ROWS(['ip', 'name', 'owner']))
  world.write('hosts.csv', 'ip,name,owner\n10.0.0.1,one,ann\n')
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({ outcome: 'swapped' })
  expect(await world.visit(2)).toEqual([2, { ip: '10.0.0.1', name: 'one', owner: 'ann' }])
  world.write('hosts.csv', 'ip,name,owner\n10.0.0.1,7,ann\n')
  await world.reload.reload({ cause: 'reload' })
  expect(await world.visit(3)).toEqual([3, { ip: '10.0.0.1', name: '7', owner: 'ann' }])
  // Only the schema.
  world.write('row.schema.yml', ROWS(['ip', 'owner']).replace('fields:', 'fields:\n  - name: name\n    type: int'))
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({ outcome: 'swapped' })
  expect(await world.visit(4)).toEqual([4, { ip: '10.0.0.1', name: 7, owner: 'ann' }])
  expect(world.keeper.status().find(({ name }) => name === 'hosts')).toMatchObject({ health: 'static', rows: 1 })
})

test('a change that the lake cannot apply now leaves tables, rules and lake unchanged, and is applied later', async () => {
  world.write('visit.schema.yml', SCHEMA('string'))
  world.write('hosts.yml', HOSTS('Description: other\n'))
  world.write('rule.yml', RULE('High'))
  world.faults.lake = new RetryLater('the lake is busy')
  await expect(world.reload.reload({ cause: 'reload' })).rejects.toThrow('the lake is busy')
  expect(world.problems()).toEqual([expect.stringContaining('will be retried: the lake is busy')])
  world.faults.lake = undefined
  expect(world.severity()).toBe('LOW')
  expect(await world.visit(7)).toEqual([7, { ip: '10.0.0.1', name: 'one' }])
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({ outcome: 'swapped' })
  expect(world.problems()).toEqual([])
  expect(world.severity()).toBe('HIGH')
  expect(await world.visit('eight')).toEqual(['eight', { ip: '10.0.0.1', name: 'one' }])
})

test('a change that the lake refuses is broken content, and no part of it keeps running', async () => {
  world.write('visit.schema.yml', SCHEMA('string'))
  world.write('hosts.yml', HOSTS('Description: other\n'))
  world.faults.lake = new Refused('the table is ordered by that column')
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({
    outcome: 'broken',
    problems: [{ file: 'content', message: 'the table is ordered by that column' }],
  })
  expect(world.problems()).toEqual([expect.stringContaining('The current content stays in force')])
  await expect(world.pipeline.call('swapContent')).rejects.toThrow('no content has been built')
  world.faults.lake = undefined
  expect(await world.visit(7)).toEqual([7, { ip: '10.0.0.1', name: 'one' }])
  expect((await world.read.generation(undefined))!.number).toBe(1)
})

test('a change whose success was not reported is adopted anyway', async () => {
  world.write('rule.yml', RULE('High'))
  world.faults.lost.add('swapContent')
  await expect(world.reload.reload({ cause: 'reload' })).rejects.toThrow('was lost')
  expect(world.severity()).toBe('HIGH')
  // The parts that had to wait follow with the next reload, which finds nothing changed.
  world.write('rule.yml', RULE('Critical'))
  world.faults.lost.add('content')
  await expect(world.reload.reload({ cause: 'reload' })).rejects.toThrow('was lost')
  expect(world.severity()).toBe('HIGH')
  world.faults.lost.clear()
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({ outcome: 'unchanged' })
  expect(world.severity()).toBe('CRITICAL')
  expect(world.problems()).toEqual([])
})

test('a table that is refreshed during a content change is in force afterwards', async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => `10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255},n${i}`)
  world.write('hosts.csv', `ip,name\n10.0.0.1,new\n${rows.join('\n')}\n`)
  const definition = world.reload.report.tables.find(({ name }) => name === 'hosts')
  const path = definition!.filename!
  const taken = world.pipeline.call('acceptTable', {
    table: 'hosts',
    definition: definitionKey(definition!),
    path,
    fileName: path,
    date: undefined,
  })
  world.write('rule.yml', RULE('High'))
  expect(await world.pipeline.call('buildContent')).toMatchObject({ kind: 'built' })
  await world.pipeline.call('swapContent')
  await taken
  expect(await world.visit(1)).toEqual([1, { ip: '10.0.0.1', name: 'new' }])
})

const shown = (past: PastGeneration | undefined) => [
  past?.number,
  past?.cause,
  past?.actor,
  past?.files.map(({ path, before, after }) => `${path} ${before ? 'was' : ''} ${after ? 'is' : ''}`).sort(),
]

test('each generation is recorded with its files and can be undone', async () => {
  const first = await world.read.generation(undefined)
  expect(shown(first).slice(0, 3)).toEqual([1, 'start', ''])
  expect(first!.files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['rule.yml', 'hosts.yml', 'hosts.csv', 'row.schema.yml', 'visit.schema.yml']),
  )
  expect(first!.generation).toBe(world.reload.report.generation)
  world.write('rule.yml', RULE('High'))
  world.write('more/other.yml', RULE('Low').replace('RuleID: Visit', 'RuleID: Other'))
  expect(await world.reload.reload({ cause: 'watch' })).toMatchObject({ outcome: 'swapped' })
  expect(shown(await world.read.generation(undefined))).toEqual([2, 'watch', '', ['more/other.yml  is', 'rule.yml was is']])

  expect(await world.undo(undefined, 'ann')).toMatchObject({ outcome: 'swapped', number: 2, generation: first!.generation })
  expect([world.text('rule.yml'), world.text('more/other.yml'), world.severity()]).toEqual([RULE('Low'), undefined, 'LOW'])
  expect(shown(await world.read.generation(undefined))).toEqual([
    3,
    'undo',
    'ann, who undid 2',
    ['more/other.yml was ', 'rule.yml was is'],
  ])
  // An undo can itself be undone, folders included.
  rmSync(join(world.content, 'more'), { recursive: true })
  expect(await world.undo('3')).toMatchObject({ outcome: 'swapped', number: 3 })
  expect([world.text('rule.yml'), world.severity()]).toEqual([RULE('High'), 'HIGH'])
  expect(world.text('more/other.yml')).toContain('RuleID: Other')
  await expect(world.undo('1')).rejects.toThrow('shipped packs, which are part of the release')
  await expect(world.undo('99')).rejects.toThrow("there is no generation '99'")
})

test('later edits are never undone, and an undo that would break content changes nothing', async () => {
  world.write('rule.yml', RULE('High'))
  await world.reload.reload({ cause: 'watch' })
  world.write('rule.yml', RULE('Critical'))
  await expect(world.undo()).rejects.toThrow(/rule\.yml was changed after it/)
  expect(world.text('rule.yml')).toBe(RULE('Critical'))
  await world.reload.reload({ cause: 'watch' })
  await expect(world.undo('2')).rejects.toThrow(/rule\.yml was changed after it/)
  // Removed in one generation, needed in the next.
  world.write('more.schema.yml', SCHEMA('int').replace('Custom.Visit', 'Custom.More'))
  await world.reload.reload({ cause: 'watch' })
  world.write('more.yml', HOSTS().replace('hosts', 'more').replace('Hosts.Row', 'Custom.More'))
  world.write('hosts.csv', 'ip,name\n10.0.0.1,two\n')
  expect(await world.reload.reload({ cause: 'watch' })).toMatchObject({ outcome: 'swapped' })
  expect(await world.undo('4')).toMatchObject({ outcome: 'broken', number: 4 })
  expect(world.text('more.schema.yml')).toContain('Custom.More')
  expect(await world.undo('5')).toMatchObject({ outcome: 'swapped' })
  expect(world.text('hosts.csv')).toBe('ip,name\n10.0.0.1,one\n')
  expect(await world.undo('4')).toMatchObject({ outcome: 'swapped' })
  expect([world.text('more.schema.yml'), world.problems()]).toEqual([undefined, []])
})

test('edits without effect on running content are recorded too', async () => {
  world.write('rule.yml', `# Why: see the wiki.\n${RULE('Low')}`)
  expect(await world.reload.reload({ cause: 'reload', actor: 'bob' })).toMatchObject({ outcome: 'unchanged' })
  expect(shown(await world.read.generation(undefined))).toEqual([2, 'reload', 'bob', ['rule.yml was is']])
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({ outcome: 'unchanged' })
  expect((await world.read.generation(undefined))!.number).toBe(2)
})

test('what a rule caches during a content change is available to its next version', async () => {
  const code = (version: number) =>
    `from panther_detection_helpers.caching import increment_counter\n\n\ndef rule(event):\n    return True\n\n\ndef title(event):\n    return f"v${version} {increment_counter('seen')}"\n`
  world.write(
    'query.yml',
    'AnalysisType: scheduled_query\nQueryName: Visits\nEnabled: true\nQuery: SELECT n FROM panther_logs.public.custom_visit\nSchedule:\n  CronExpression: "0 0 1 1 *"\n  TimeoutMinutes: 1\n',
  )
  world.write(
    'counted.yml',
    'AnalysisType: scheduled_rule\nRuleID: Counted\nEnabled: true\nFilename: counted.py\nSeverity: Low\nScheduledQueries: [Visits]\n',
  )
  world.write('counted.py', code(1))
  expect(await world.reload.reload({ cause: 'reload' })).toMatchObject({ outcome: 'swapped' })
  const judge = (from: number, count: number) =>
    world.pipeline.call('judgeRows', {
      query: 'Visits',
      dueMs: from,
      columns: [{ name: 'n', shape: 'number' }],
      rows: Array.from({ length: count }, (_, i) => `[${from + i}]`),
    })
  await judge(1, 1)
  world.write('counted.py', code(2))
  expect(await world.pipeline.call('buildContent')).toMatchObject({ kind: 'built' })
  const judging = judge(1000, 3000)
  await world.pipeline.call('swapContent')
  await judging
  await judge(10_000, 1)
  expect(await world.titles('Counted')).toEqual(['v2 3002', 'v1 3001'])
})
