import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { runWith } from './support/cli.ts'
import { ClickhouseServer, PASSWORD, whyNoServer } from './support/clickhouse-server.ts'
import { until } from './support/until.ts'

/** The whole program with its lake on a ClickHouse server. In order. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-lake-server-'))
const RULE = {
  AnalysisType: 'rule',
  RuleID: 'Test.Fourth',
  Enabled: true,
  LogTypes: ['Custom.Auth'],
  Severity: 'High',
  AlertTitle: 'The fourth',
  Detection: [{ Key: 'message', Condition: 'Equals', Value: 'entry 4' }],
}
let server: ClickhouseServer
let caracal: Caracal

const cli = (...argv: string[]) => runWith({}, [...argv, '--config', join(folder, 'caracal.yml')], 300)
const event = (n: number) => `{"host":"web1","ident":"sshd","message":"entry ${n}"}\n`
const post = async (...ns: number[]) =>
  (await caracal.fetch('/ingest/web', { method: 'POST', body: ns.map(event).join('') })).status
const stored = async () =>
  (await caracal.query("SELECT message FROM logs.custom_auth WHERE p_source_id = 'web' ORDER BY 1")).flat()
const health = async () =>
  (await (await caracal.fetch('/api/v1/health')).json()) as { system_problems: { what: string; message: string }[] }

describe.skipIf(whyNoServer)(
  `Caracal with its lake on a server${whyNoServer ? ` (${whyNoServer})` : ''}`,
  { shuffle: false },
  () => {
    beforeAll(async () => {
      server = await ClickhouseServer.start()
      const port = await freePort()
      const config = {
        listen: `127.0.0.1:${port}`,
        data_dir: join(folder, 'data'),
        lake: server.lake,
        flush_ms: 100,
        sources: [{ type: 'http', id: 'web', log_types: ['Custom.Auth'] }],
      }
      writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
      mkdirSync(join(folder, 'content'))
      writeFileSync(join(folder, 'content/fourth.yml'), JSON.stringify(RULE))
      caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: [] })
      await caracal.start()
    })
    afterAll(async () => {
      await caracal?.end('SIGKILL')
      await server?.stop()
      process.exitCode = 0
      rmSync(folder, { recursive: true, force: true })
    })

    test('stores events and matches, raises alerts, and answers queries', async () => {
      await until(() => caracal.output.includes('What next') || undefined)
      const alerts = (await (await caracal.fetch('/api/v1/alerts')).json()) as { results: { title: string; id: string }[] }
      const tor = alerts.results.find(({ title }) => title.includes('TOR Exit Node'))!
      const matches = async () =>
        (await caracal.query(`SELECT p_alert_id FROM matches.all WHERE p_alert_id = '${tor.id}' LIMIT 1`)).flat()[0]
      await until(async () => (await matches()) === tor.id || undefined)
      expect(await post(1)).toBe(202)
      await until(async () => (await stored()).length === 1 || undefined)
      expect(await server.run("SELECT message FROM logs.custom_auth WHERE p_source_id = 'web'")).toBe('["entry 1"]\n')
      expect(readdirSync(join(folder, 'data'))).not.toContain('lake')
    })

    test('people’s SQL reads the lake and nothing else', async () => {
      for (const sql of [
        "SELECT * FROM url('http://127.0.0.1:1', 'CSV', 'a String')",
        'SELECT * FROM system.users',
        'SELECT * FROM default.x',
      ])
        await expect(caracal.query(sql), sql).rejects.toThrow(/answered 4\d\d/)
    })

    test('takes records while the server is away, says so, and stores them when it is back', async () => {
      await server.kill()
      expect(await post(2, 3)).toBe(202)
      const down = await until(async () => (await health()).system_problems.find(({ what }) => what === 'LakeDown'))
      expect(down.message).toContain(`the ClickHouse server at ${server.url} does not answer: `)
      await expect(stored()).rejects.toThrow(/answered 503.*does not answer/s)
      await server.start()
      await until(async () => (await stored().catch(() => [])).length === 3 || undefined)
      expect(await stored()).toEqual(['entry 1', 'entry 2', 'entry 3'])
      await until(async () => (await health()).system_problems.every(({ what }) => what !== 'LakeDown') || undefined)
    })

    test('starts while the server is away: alerts are raised, and rows are stored when it is back', {
      timeout: 180_000,
    }, async () => {
      expect(await caracal.end('SIGTERM')).toBe(0)
      await server.kill()
      caracal.output = ''
      // Resolves once it is well.
      const started = caracal.start()
      await until(() => caracal.output.includes('Caracal is up.') || undefined)
      const down = await until(async () => (await health()).system_problems.find(({ what }) => what === 'LakeDown'))
      expect(down.message).toContain(`the ClickHouse server at ${server.url} does not answer: `)
      await expect(stored()).rejects.toThrow(/answered 503.*has not answered since this process was started/s)
      expect(await post(4)).toBe(202)
      const titles = async () =>
        ((await (await caracal.fetch('/api/v1/alerts')).json()) as { results: { title: string }[] }).results.map(
          ({ title }) => title,
        )
      await until(async () => (await titles()).includes('The fourth') || undefined)
      await server.start()
      await started
      await until(async () => (await stored().catch(() => [])).length === 4 || undefined)
      const matches = "SELECT message FROM matches.custom_auth WHERE p_rule_id = 'Test.Fourth'"
      await until(async () => (await caracal.query(matches).catch(() => [])).flat()[0] === 'entry 4' || undefined)
      await until(async () => (await health()).system_problems.every(({ what }) => what !== 'LakeDown') || undefined)
    })

    test('is backed up without the rows, which it says', async () => {
      const made = await cli('backup', join(folder, 'backup'))
      expect(made).toMatchObject({ code: 0, out: expect.stringContaining("The lake's rows are on their server") })
      expect(readFileSync(join(folder, 'backup/manifest.json'), 'utf8')).not.toContain('"lake/')
      const restored = await runWith({}, ['restore', join(folder, 'backup'), '--data-dir', join(folder, 'restored')])
      expect(restored).toMatchObject({ code: 0, err: '' })
      expect(readdirSync(join(folder, 'restored'))).toContain('state.db')
    })

    test('doctor looks at the server', async () => {
      const { out } = await cli('doctor')
      expect(out).toMatch(/ok +lake +ClickHouse 26\.\S+ at http:\S+, \d+ tables/)
    })

    test('caracal lake init prints SQL for an administrator, and says when it takes one', async () => {
      const printed = await cli('lake', 'init', '--print')
      expect(printed.code).toBe(0)
      expect(printed.out).toContain('GRANT SELECT ON `logs`.* TO `caracal_reader`;')
      expect(printed.out).toContain('CREATE DATABASE IF NOT EXISTS `matches`;')
      expect(printed.out).not.toContain(PASSWORD)
      const tried = await cli('lake', 'init')
      expect(tried.code).toBe(1)
      expect(tried.out).toContain('Made or brought up to date: databases logs, matches')
      expect(tried.err).toMatch(
        /cannot make users on the server http:\/\/127\.0\.0\.1:\d+ .*Have an administrator run what `caracal lake init --print` prints/s,
      )
    })

    test('goes on after a kill', { timeout: 180_000 }, async () => {
      await caracal.end('SIGKILL')
      await caracal.start()
      expect(await post(5)).toBe(202)
      await until(async () => (await stored()).length === 5 || undefined)
    })
  },
)
