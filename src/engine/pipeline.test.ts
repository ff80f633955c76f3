import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, expect, test } from 'vitest'
import { type Config, configSchema } from '../config/config.ts'
import { createChdbLake } from '../stages/store/chdb.ts'
import { listAlerts } from '../state/alerts.ts'
import { readState } from '../state/db.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { Rpc } from '../util/rpc.ts'
import { Events } from './events.ts'
import { mainCalls } from './main-calls.ts'
import { Pipeline } from './pipeline.ts'
import type { MainCalls, PipelineCalls } from './pipeline-calls.ts'
import type { SpoolCalls, SpoolNews, SpoolReads } from './spool-calls.ts'
import { SpoolServer } from './spool-server.ts'

/** The pipeline in this thread, with its real spool, lake and state. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-pipeline-'))
const content = join(folder, 'content')
mkdirSync(content)
writeFileSync(
  join(content, 'failed.yml'),
  'AnalysisType: rule\nRuleID: Failed.Login\nEnabled: true\nLogTypes: [Custom.Auth]\nSeverity: High\nDetection:\n  - Key: message\n    Condition: Contains\n    Value: Failed\n',
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function configOf(name: string, more: object = {}): Config {
  const given = configSchema.parse({ sources: [{ type: 'http', id: 'web', log_types: ['Custom.Auth'] }], ...more })
  const dataDir = join(folder, name)
  mkdirSync(dataDir)
  return { ...given, data_dir: dataDir, content: [content] }
}

/** A pipeline as its thread runs it, and what its neighbours have. */
async function open(config: Config) {
  const lake = await createChdbLake({ dataDir: config.data_dir, max_query_ms: 60_000, max_rows: 1000 })
  const toPipeline = new MessageChannel()
  const toSpool = new MessageChannel()
  const toReader = new MessageChannel()
  const news = new Rpc<SpoolNews, SpoolReads>(toReader.port1)
  const server = new SpoolServer({ dataDir: config.data_dir, maxBytes: 1e9, maxSourceBytes: 1e9 }, news)
  news.serve(server.reads)
  new Rpc<Record<never, never>, SpoolCalls>(toSpool.port2, server.calls)
  const spool = new Rpc<SpoolCalls>(toSpool.port1)
  const events = new Events()
  const pipeline = new Rpc<PipelineCalls, MainCalls>(toPipeline.port1, mainCalls({ lake, events, metrics: createMetrics() }))
  const main = new Rpc<MainCalls, PipelineCalls>(toPipeline.port2)
  const opened = Pipeline.open({ config, sources: config.sources, baseUrl: 'http://x' }, main, toReader.port2)
  opened.then((made) => main.serve(made)).catch(() => {})
  const close = async () => {
    await spool.call('close')
    await lake.close()
    for (const { port1 } of [toPipeline, toSpool, toReader]) port1.close()
  }
  return { opened, pipeline, spool, lake, events, close }
}

test('it starts, judges and stores what the spool has, and stops once however often it is asked', async () => {
  const config = configOf('whole')
  const { opened, pipeline, spool, lake, events, close } = await open(config)
  const { content: loaded } = await pipeline.call('content')
  expect(loaded.rules.map(({ id }) => id)).toContain('Failed.Login')
  const heard: string[] = []
  events.listen(({ ruleId }) => heard.push(ruleId))
  await pipeline.call('start')
  const body = Buffer.from(
    '{"host":"h","ident":"sshd","message":"Failed password"}\n{"host":"h","ident":"sshd","message":"ok"}\n',
  )
  await spool.call('append', { sourceId: 'web', decoding: 'lines', receivedMs: Date.now(), body })
  await expect.poll(() => heard).toEqual(['Failed.Login'])
  await pipeline.call('settled', 'web')
  await pipeline.call('flush')
  expect((await lake.query('SELECT message FROM logs.custom_auth ORDER BY message')).rows).toEqual([
    '["Failed password"]',
    '["ok"]',
  ])
  await Promise.all([pipeline.call('stopReading'), pipeline.call('stopReading')])
  await Promise.all([pipeline.call('stop'), pipeline.call('stop')])
  await pipeline.call('stop')
  await expect((await opened).setMeta({ key: 'k', value: 'v' })).rejects.toThrow()
  await close()
  const state = readState(config.data_dir)
  expect((await listAlerts(state, { limit: 10 })).map((row) => row.rule_id)).toEqual(['Failed.Login'])
  await state.destroy()
})

test('what reports while it opens is heard: a rule that does not load', async () => {
  const config = configOf('off')
  writeFileSync(
    join(content, 'bad.yml'),
    'AnalysisType: rule\nRuleID: Bad\nFilename: bad.py\nEnabled: true\nLogTypes: [Custom.Auth]\nSeverity: Low\n',
  )
  writeFileSync(join(content, 'bad.py'), 'import no_such_module\ndef rule(event):\n    return True\n')
  const { pipeline, events, close } = await open(config)
  await pipeline.call('content')
  expect(events.rules.problems.map(({ key }) => key)).toEqual(['Bad'])
  await pipeline.call('stop')
  await close()
  for (const name of ['bad.yml', 'bad.py']) rmSync(join(content, name))
})

test('a step of the start that fails has those before it undone: nothing stays open', async () => {
  const sources = [
    { type: 'http', id: 'web', log_types: ['Custom.Auth'] },
    { type: 'http', id: 'odd', log_types: ['Odd.Type'] },
  ]
  const config = configOf('failing', { sources })
  const { opened, close } = await open(config)
  await expect(opened).rejects.toThrow("source 'odd' names the log type 'Odd.Type'")
  await close()
  // Nothing holds the folder: the same pipeline opens once the source is right.
  const again = await open({ ...config, sources: config.sources.slice(0, 1) })
  await again.pipeline.call('start')
  await again.pipeline.call('stop')
  await again.close()
})
