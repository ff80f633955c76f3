import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { configSchema } from '../config/config.ts'
import { definitionKey } from '../stages/enrich/definition.ts'
import { systemClock, TableKeeper } from '../stages/enrich/keeper.ts'
import { createLog } from '../telemetry/log.ts'
import { RetryLater } from '../util/errors.ts'
import { ContentReload } from './content-reload.ts'
import { openPipeline } from './pipeline.fixture.ts'
import { Scheduler } from './scheduler.ts'
import type { PipelineThread } from './threads.ts'

/** Changes of content over a real pipeline, its lake and its tables, while parts of it fail. */
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
  const write = (name: string, text: string) => writeFileSync(join(content, name), text)
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
  // The answer to one call may get lost.
  const call: typeof pipeline.call = async (method, ...argument) => {
    const answer = await pipeline.call(method, ...argument)
    if (faults.lost.has(method)) throw new Error(`the answer to ${method} was lost`)
    return answer
  }
  const keeper = new TableKeeper({
    definitions: first.tables,
    dataFolder: data,
    store: { load: async () => undefined, save: async () => {} },
    accept: (ref) => pipeline.call('acceptTable', ref),
    send: () => Promise.reject(new Error('there is no network')),
    clock: systemClock,
    random: () => 0,
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
    judge: async () => {},
    flush: async () => {},
    now: Date.now,
    onProblems: () => {},
  })
  const reload = new ContentReload({
    pipeline: { rpc: { call, move: pipeline.move } } as unknown as PipelineThread,
    keeper,
    scheduler,
    events,
    log: createLog({ isPretty: false, write: () => {} }),
    first,
  })
  await pipeline.call('start')
  let sent = 0
  return {
    write,
    faults,
    pipeline,
    keeper,
    reload,
    problems: () => events.problems.current.flatMap(({ what, message }) => (what === 'ContentBroken' ? [message] : [])),
    /** What is stored of one more event: n, and its row of the table. */
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
    severity: () => reload.report.content.rules.find(({ id }) => id === 'Visit')?.severity,
    async stop() {
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

test('an edit of nothing but the schema of its rows builds a table anew', async () => {
  expect(await world.visit(1)).toEqual([1, { ip: '10.0.0.1', name: 'one' }])
  world.write('row.schema.yml', ROWS(['ip', 'name', 'owner']))
  world.write('hosts.csv', 'ip,name,owner\n10.0.0.1,one,ann\n')
  expect(await world.reload.reload()).toMatchObject({ outcome: 'swapped' })
  expect(await world.visit(2)).toEqual([2, { ip: '10.0.0.1', name: 'one', owner: 'ann' }])
  // The schema alone.
  world.write('row.schema.yml', ROWS(['ip', 'owner']))
  expect(await world.reload.reload()).toMatchObject({ outcome: 'swapped' })
  expect((await world.visit(3))[1]).toMatchObject({ owner: 'ann' })
  expect(world.keeper.status().find(({ name }) => name === 'hosts')).toMatchObject({ health: 'static', rows: 1 })
})

test('a change that the lake cannot take now leaves tables, rules and lake as they were, and comes when it can', async () => {
  world.write('visit.schema.yml', SCHEMA('string'))
  world.write('hosts.yml', HOSTS('Description: other\n'))
  world.write('rule.yml', RULE('High'))
  world.faults.lake = new RetryLater('the lake is busy')
  await expect(world.reload.reload()).rejects.toThrow('the lake is busy')
  expect(world.problems()).toEqual([expect.stringContaining('which is tried again: the lake is busy')])
  world.faults.lake = undefined
  expect(world.severity()).toBe('LOW')
  expect(await world.visit(7)).toEqual([7, { ip: '10.0.0.1', name: 'one' }])
  expect(await world.reload.reload()).toMatchObject({ outcome: 'swapped' })
  expect(world.problems()).toEqual([])
  expect(world.severity()).toBe('HIGH')
  expect(await world.visit('eight')).toEqual(['eight', { ip: '10.0.0.1', name: 'one' }])
})

test('a change whose success nobody heard of is followed all the same', async () => {
  world.write('rule.yml', RULE('High'))
  world.faults.lost.add('swapContent')
  await expect(world.reload.reload()).rejects.toThrow('was lost')
  expect(world.severity()).toBe('HIGH')
  // What could not follow at once follows with the next reload, which finds nothing changed.
  world.write('rule.yml', RULE('Critical'))
  world.faults.lost.add('content')
  await expect(world.reload.reload()).rejects.toThrow('was lost')
  expect(world.severity()).toBe('HIGH')
  world.faults.lost.clear()
  expect(await world.reload.reload()).toMatchObject({ outcome: 'unchanged' })
  expect(world.severity()).toBe('CRITICAL')
  expect(world.problems()).toEqual([])
})

test('a table whose content is taken while content changes is in force afterwards', async () => {
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
