import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { versionOf } from '../src/stages/enrich/content.ts'
import { tableFolder } from '../src/stages/enrich/versions/files.ts'
import { VersionStore } from '../src/stages/enrich/versions/version-store.ts'
import { runWith } from './support/cli.ts'

const top = mkdtempSync(join(tmpdir(), 'caracal-run-'))
afterAll(() => {
  process.exitCode = 0
  rmSync(top, { recursive: true, force: true })
})

async function events(...argv: readonly string[]): Promise<Record<string, unknown>[]> {
  const { out } = await run(argv)
  const lines = out.trimEnd().split('\n')
  return lines.map((line): Record<string, unknown> => JSON.parse(line))
}

const run = (argv: readonly string[], env: Record<string, string> = {}) =>
  runWith({ ...{ XDG_CACHE_HOME: join(top, 'cache'), CARACAL_DATA_DIR: join(top, 'data') }, ...env }, ['run', ...argv])

/** A Zeek connection. */
function record(ts: string): string {
  return JSON.stringify({
    _path: 'conn',
    ts,
    uid: 'C1',
    'id.orig_h': '192.0.2.1',
    'id.orig_p': 1,
    'id.resp_h': '192.0.2.2',
    'id.resp_p': 2,
    proto: 'tcp',
  })
}

test('a rule that cannot be loaded is reported and counted, even if no rule has to see an event', async () => {
  const content = join(top, 'content')
  mkdirSync(content)
  const rule = 'AnalysisType: rule\nRuleID: Broken\nFilename: broken.py\nLogTypes: [Zeek.Conn]\nSeverity: Low\nEnabled: true\n'
  writeFileSync(join(content, 'broken.yml'), rule)
  writeFileSync(join(content, 'broken.py'), "import nothing\ndef rule(event): return event.get('uid') == 'never'\n")
  const config = join(top, 'caracal.yml')
  writeFileSync(config, JSON.stringify({ content: [content], disabled_packs: [] }))
  const file = join(top, 'quiet.log')
  writeFileSync(file, `${record('2024-04-19T10:04:00Z')}\n`)
  const { err } = await run([file, '--log-type', 'Zeek.Conn', '--config', config])
  expect(err).toMatch(/rule Broken: .*nothing/)
  expect(err).toMatch(/rule_errors 1\n$/)
})

test('--as-of is the time of receipt: events more than five minutes after it are not believed', async () => {
  const file = join(top, 'conn.log')
  writeFileSync(file, `${record('2024-04-19T10:04:00Z')}\n${record('2024-04-19T10:06:00Z')}\n`)
  const shown = async (asOf: string) =>
    (await events(file, '--log-type', 'Zeek.Conn', '--as-of', asOf)).map((event) => [
      event['p_parse_time'],
      event['p_event_time'],
    ])
  const received = '2024-04-19T10:00:00Z'
  expect(await shown(received)).toEqual([
    [received, '2024-04-19T10:04:00Z'],
    [received, received],
  ])
  const later = '2024-04-19T12:00:00Z'
  expect(await shown(later)).toEqual([
    [later, '2024-04-19T10:04:00Z'],
    [later, '2024-04-19T10:06:00Z'],
  ])
})

test('--as-of joins tables as they were then, and says when a version is no longer kept', async () => {
  const content = mkdtempSync(join(top, 'past-'))
  const dataDir = join(content, 'data')
  writeFileSync(join(content, 'hosts.csv'), 'ip,owner\n192.0.2.2,today\n')
  writeFileSync(
    join(content, 'hosts.yml'),
    'AnalysisType: lookup_table\nLookupName: hosts\nFilename: hosts.csv\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes: [{ LogType: Zeek.Conn, Selectors: [id_orig_h, id_resp_h] }]\n',
  )
  const store = await VersionStore.open(tableFolder(join(dataDir, 'tables'), 'hosts'))
  const keep = async (owner: string, since: string) => {
    const bytes = Buffer.from(`ip,owner\n192.0.2.2,${owner}\n`)
    const about = { origin: 'shipped', fileName: 'hosts.csv' } as const
    await store.keep(await store.candidate(bytes), { version: versionOf(bytes), sinceMs: Date.parse(since), ...about })
  }
  await keep('ada', '2024-04-17T00:00:00Z')
  await keep('bob', '2024-04-18T00:00:00Z')
  await keep('cid', '2024-04-19T00:00:00Z')
  const config = join(content, 'caracal.yml')
  writeFileSync(config, JSON.stringify({ content: [content], data_dir: dataDir }))
  const file = join(content, 'conn.log')
  writeFileSync(file, `${record('2024-04-19T10:04:00Z')}\n`)
  const at = (...asOf: string[]) =>
    run([file, '--log-type', 'Zeek.Conn', '--config', config, ...asOf], { CARACAL_DATA_DIR: dataDir })
  const owner = ({ out }: { out: string }) => /"owner":"(\w+)"/.exec(out)?.[1]
  expect(owner(await at())).toBe('today')
  expect(owner(await at('--as-of', '2024-04-19T12:00:00Z'))).toBe('cid')
  expect(owner(await at('--as-of', '2024-04-18T12:00:00Z'))).toBe('bob')
  const earlier = await at('--as-of', '2024-04-01')
  expect([owner(earlier), earlier.err]).toEqual([
    'today',
    expect.stringMatching(/table hosts: its versions go back to 2024-04-17/),
  ])
  await store.prune({ Versions: 2, MaxBytes: 1e9 }, async () => new Set())
  expect((await at('--as-of', '2024-04-17T12:00:00Z')).err).toMatch(
    /table 'hosts' cannot be used: version \w+ of table 'hosts', in force from 2024-04-17.* is no longer kept.*--table hosts=FILE/,
  )
})
