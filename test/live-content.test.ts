import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { LiveLoad } from './support/live-load.ts'

/** A change of a rule starts a new rule process, which takes a while on a busy machine. */
const LIMIT_MS = 240_000

/** Content that is edited while senders send: nothing is lost or doubled, and every event is judged by one version of the rule. */
let folder: string
let content: string
let caracal: Caracal
let load: LiveLoad

const write = (name: string, text: string) => {
  // As editors do to avoid half-written files.
  writeFileSync(join(content, `.${name}`), text)
  renameSync(join(content, `.${name}`), join(content, name))
}

const rule = (version: number) =>
  `def rule(event):\n    return event.get("n") % 5 == 0\n\n\ndef title(event):\n    return "v${version}"\n\n\ndef dedup(event):\n    return "v${version}"\n`

const files: Record<string, string> = {
  'live.schema.yml':
    'schema: Custom.Live\nfields:\n  - name: n\n    type: bigint\n    required: true\n  - name: ip\n    type: string\n    indicators: [ip]\n',
  'live.yml': 'AnalysisType: rule\nRuleID: Live\nFilename: live.py\nEnabled: true\nLogTypes: [Custom.Live]\nSeverity: Low\n',
  'live.py': rule(0),
  'hosts.yml':
    'AnalysisType: lookup_table\nLookupName: hosts\nEnabled: true\nFilename: ./hosts.csv\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - LogType: Custom.Live\n      Selectors: [ip]\n',
  'hosts.csv': 'ip,name\n10.0.0.1,t0\n',
}

interface Change {
  readonly outcome: string
  readonly generation: string
  readonly problems: readonly { readonly file: string; readonly message: string }[]
}

async function reload(): Promise<Change> {
  const answer = await caracal.fetch('/api/v1/content/reload', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Change
}

const problems = async () =>
  (
    (await (await caracal.fetch('/api/v1/health')).json()) as {
      system_problems: { what: string; key: string; message: string }[]
    }
  ).system_problems

const versions = new Map<string, string>()

function edited(workers: number): void {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-live-'))
    content = join(folder, 'content')
    versions.clear()
    mkdirSync(content)
    for (const [name, text] of Object.entries(files)) write(name, text)
    const port = await freePort()
    const config = {
      listen: `127.0.0.1:${port}`,
      data_dir: join(folder, 'data'),
      watch_content: false,
      workers,
      python_children: 'shared',
      sources: [{ type: 'http', id: 'web', log_types: ['Custom.Live'] }],
    }
    writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
    caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
    await caracal.start()
    load = new LiveLoad(caracal, { perSecond: 200, perRequest: 25 })
    load.start()
  }, LIMIT_MS)

  afterAll(async () => {
    await caracal.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  test(
    'edits of a rule and of a table are in force one after the other, while senders send',
    async () => {
      versions.set('v0', ((await (await caracal.fetch('/api/v1/content')).json()) as { generation: string }).generation)
      for (let version = 1; version <= 2; version++) {
        await load.more(50)
        write('live.py', rule(version))
        const change = await reload()
        expect(change.outcome).toBe('swapped')
        versions.set(`v${version}`, change.generation)
        await load.more(50)
        write('hosts.csv', `ip,name\n10.0.0.1,t${version}\n`)
        const refreshed = await caracal.fetch('/api/v1/tables/hosts/refresh', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
        })
        expect(refreshed.status).toBe(200)
      }
      expect(new Set(versions.values()).size).toBe(3)
    },
    LIMIT_MS,
  )

  test(
    'a broken edit keeps the rule that was there, and says so; a fixed one takes its place',
    async () => {
      const { generation } = await reload()
      write('live.py', 'def rule(event)\n    return True\n')
      const broken = await reload()
      expect(broken).toMatchObject({ outcome: 'broken', generation })
      expect(broken.problems[0]!.message).toContain('live.py')
      const problem = (await problems()).find(({ what }) => what === 'ContentBroken')
      expect(problem?.message).toContain('The current content stays in force')
      await load.more(100)
      write('live.yml', `${files['live.yml']}LogTipes: [x]\n`)
      expect(await reload()).toMatchObject({ outcome: 'broken', generation })
      write('live.yml', files['live.yml']!)
      write('live.py', rule(9))
      const fixed = await reload()
      expect(fixed.outcome).toBe('swapped')
      versions.set('v9', fixed.generation)
      expect((await problems()).map(({ what }) => what)).not.toContain('ContentBroken')
      await load.more(100)
    },
    LIMIT_MS,
  )

  test('nothing is lost or doubled, every response was 202, and each match has the version that judged its event', async () => {
    const sent = await load.stop()
    expect(load.refused).toEqual([])
    await expect
      .poll(async () => (await caracal.query('SELECT count(), uniqExact(n), max(n) FROM logs.custom_live'))[0])
      .toEqual([sent, sent, sent - 1])
    const judged = await caracal.query(
      'SELECT s.p_alert_title, l.p_generation, count() FROM signals.correlation_signals s JOIN logs.custom_live l ON s.p_row_id = l.p_row_id GROUP BY 1, 2 ORDER BY 1',
    )
    expect(judged.map(([title, generation]) => [title, generation])).toEqual([...versions])
    expect(judged.reduce((sum, [, , n]) => sum + Number(n), 0)).toBe(Math.ceil(sent / 5))
    const tables = await caracal.query(
      `SELECT DISTINCT JSONExtractString(p_enrichment, 'hosts', 'ip', 'name') AS name FROM logs.custom_live ORDER BY name`,
    )
    expect(tables.flat()).toEqual(['t0', 't1', 't2'])
  })
}

for (const workers of [1, 4])
  describe(`content that is edited under load, with ${workers} workers`, { shuffle: false }, () => edited(workers))
