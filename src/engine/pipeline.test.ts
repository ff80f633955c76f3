import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Config, configSchema } from '../config/config.ts'
import { listAlerts } from '../state/alert-list.ts'
import { readState } from '../state/db.ts'
import { openPipeline as open } from './pipeline.fixture.ts'

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

test('it starts, judges and stores what the spool has, and stops once however often stop is called', async () => {
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

test('reports during opening are not lost: a rule that does not load', async () => {
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

test('if a startup step fails, those before it are undone: nothing stays open', async () => {
  const sources = [
    { type: 'http', id: 'web', log_types: ['Custom.Auth'] },
    { type: 'http', id: 'odd', log_types: ['Odd.Type'] },
  ]
  const config = configOf('failing', { sources })
  const { opened, close } = await open(config)
  await expect(opened).rejects.toThrow("source 'odd' names the log type 'Odd.Type'")
  await close()
  // Nothing locks the folder: the same pipeline opens once the source is correct.
  const again = await open({ ...config, sources: config.sources.slice(0, 1) })
  await again.pipeline.call('start')
  await again.pipeline.call('stop')
  await again.close()
})
