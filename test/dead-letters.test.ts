import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../src/util/entry.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { inPages } from './support/pages.ts'

/** Dead letters from the first look to the replay after a fix, as a user goes about it. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-letters-'))
const content = join(folder, 'content')
let caracal: Caracal

const schema = (type: string) =>
  `schema: Custom.Door\nfields:\n  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true }\n  - { name: badge, type: ${type} }\n  - { name: door, type: string }\n`

const RULE = `AnalysisType: rule
RuleID: Door.Vault
Enabled: true
LogTypes: [Custom.Door]
Severity: High
Detection:
  - Key: door
    Condition: Equals
    Value: vault
`

const RECORDS = [
  '{"at":"2026-03-01T10:00:00Z","badge":17,"door":"lobby"}',
  '{"at":"2026-03-01T10:00:01Z","badge":"A-18","door":"vault"}',
  '{"at":"2026-03-01T10:00:02Z","badge":"\\u001b[31mA-19","door":"lobby"}',
  '{"at":"2026-03-01T10:00:03Z","badge":',
]

function cli(...args: string[]): string {
  const run = spawnSync(process.execPath, [join(packageRoot(), 'bin/caracal.js'), ...args], { cwd: folder, encoding: 'utf8' })
  expect(run.status, run.stderr).toBe(0)
  return run.stdout
}

interface Letter {
  readonly row_id: string
  readonly reason: string
  readonly raw: string
}

const letters = (...args: string[]) =>
  cli('dead-letters', '--json', ...args)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Letter)

beforeAll(async () => {
  mkdirSync(content)
  writeFileSync(join(content, 'door.yml'), schema('bigint'))
  writeFileSync(join(content, 'vault.yml'), RULE)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    sources: [
      { type: 'http', id: 'doors', log_types: ['Custom.Door'] },
      { type: 'http', id: 'gates', log_types: ['Custom.Door'] },
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

describe('dead letters', { shuffle: false }, () => {
  test('are listed with their reasons and records, by source, reason and time', async () => {
    for (const id of ['doors', 'gates'])
      await caracal.fetch(`/ingest/${id}`, { method: 'POST', body: `${RECORDS.slice(0, id === 'doors' ? 4 : 2).join('\n')}\n` })
    while ((await caracal.query('SELECT 1 FROM monitor.dead_letters')).length < 4);
    expect(
      letters()
        .map(({ reason }) => reason)
        .sort(),
    ).toEqual(['invalid_json', 'wrong_type', 'wrong_type', 'wrong_type'])
    expect(
      letters('--source', 'doors', '--reason', 'wrong_type')
        .map(({ raw }) => raw)
        .sort(),
    ).toEqual([RECORDS[2], RECORDS[1]].sort())
    expect(letters('--since', '2020-01-01', '--limit', '1')).toHaveLength(1)
    expect(letters('--since', '2090-01-01')).toEqual([])
    expect(letters('--replayed')).toEqual([])
    const text = cli('dead-letters', '--source', 'doors')
    expect(text).toMatch(/^\d{4}-.*Z {2}doors {2}invalid_json {2}[0-9a-f]+:\d+, 37 bytes$/m)
    expect(text).toContain(`\n  ${RECORDS[1]}`)
    const answer = await caracal.fetch('/api/v1/dead-letters?reason=wrong')
    expect(answer.status).toBe(400)
  })

  test('that can be read after a fix are events with the row ids of their records, judged once', async () => {
    const before = letters('--source', 'doors', '--reason', 'wrong_type')
    expect(await inPages(caracal, '/api/v1/dead-letters?limit=1')).toEqual(letters())
    writeFileSync(join(content, 'door.yml'), schema('string'))
    cli('reload')
    expect(cli('dead-letters', 'replay', '--source', 'doors', '--reason', 'wrong_type', '--dry-run')).toContain(
      'would be stored as events: 2',
    )
    expect(letters('--replayed')).toEqual([])
    expect(cli('dead-letters', 'replay', '--source', 'doors', '--reason', 'wrong_type')).toContain('stored as events: 2')
    expect(cli('dead-letters', 'replay', '--source', 'doors')).toContain('stored as events: 0')
    const rows = await caracal.query("SELECT p_row_id FROM logs.custom_door WHERE p_source_id = 'doors' AND badge != '17'")
    expect(rows.flat().sort()).toEqual(before.map(({ row_id }) => row_id).sort())
    expect(await caracal.query('SELECT door, badge FROM matches.custom_door')).toEqual([['vault', 'A-18']])
    expect(
      letters('--replayed')
        .map(({ row_id }) => row_id)
        .sort(),
    ).toEqual(before.map(({ row_id }) => row_id).sort())
    expect(
      letters()
        .map(({ reason }) => reason)
        .sort(),
    ).toEqual(['invalid_json', 'wrong_type'])
    const alerts = (await (await caracal.fetch('/api/v1/alerts?rule=Door.Vault')).json()) as {
      results: { event_count: number }[]
    }
    expect(alerts.results.map(({ event_count }) => event_count)).toEqual([1])
  })
})
