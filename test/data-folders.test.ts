import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cursorsOf } from '../src/state/batches.ts'
import { openState, type StateDb } from '../src/state/db.ts'
import { Caracal, freePort } from './support/caracal.ts'
import { FlakyReceiver } from './support/receiver.ts'

/**
 * Data folders that earlier versions left when they were killed (scripts/make-data-folder.mjs): this version opens each and
 * continues as if nothing had happened. The folders are never regenerated; a version that changes the layout on disk adds one.
 */
interface Expected {
  /** The program's clock starts two minutes after this moment. */
  readonly madeMs: number
  readonly state: {
    readonly alerts: readonly (readonly [id: string, rule: string, opened: number, events: number])[]
    readonly deliveries: readonly (readonly [id: string, alert: string, state: string])[]
    readonly correlation: readonly (readonly [rule: string, entries: number])[]
    readonly cursors: readonly (readonly [source: string, file?: string, offset?: number])[]
    readonly counters: readonly (readonly [source: string, outcome: string, reason: string, n: number])[]
    readonly outboxRows: number
    readonly flushes: number
    readonly ruleCache: number
  }
  /** Records sent to each source, including those not read yet. */
  readonly sent: Readonly<Record<string, number>>
}

const fixtures = join(import.meta.dirname, 'fixtures/data-folders')
const versions = readdirSync(fixtures).filter((name) => name !== 'content')
const top = mkdtempSync(join(tmpdir(), 'caracal-data-folders-'))

afterAll(() => rmSync(top, { recursive: true, force: true }))

function unpack(version: string): { folder: string; expected: Expected } {
  const folder = mkdtempSync(join(top, 'folder-'))
  execFileSync('tar', ['-C', folder, '-xzf', join(fixtures, version, 'folder.tgz')])
  return { folder, expected: JSON.parse(readFileSync(join(fixtures, version, 'expected.json'), 'utf8')) as Expected }
}

/** Resolves with the first result of `look`; the test's time limit ends the wait. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function stateOf(db: StateDb): Promise<Expected['state']> {
  const cursors: Expected['state']['cursors'][number][] = []
  for (const source of ['disk', 'web', 'zeek'])
    for (const { value } of await cursorsOf(db, source)) {
      const { path, offset = 0 } = value as { path?: string; offset?: number }
      cursors.push(path === undefined ? [source] : [source, basename(path), offset])
    }
  const alerts = await db.selectFrom('alerts').selectAll().orderBy('alert_id').execute()
  const deliveries = await db.selectFrom('deliveries').selectAll().orderBy('delivery_id').execute()
  const correlation = await db.selectFrom('correlation').select('rule_id').orderBy('rule_id').execute()
  const counters = await db.selectFrom('counters').selectAll().execute()
  const outbox = await db.selectFrom('outbox').select('row_count').execute()
  const byRule = new Map<string, number>()
  for (const { rule_id } of correlation) byRule.set(rule_id, (byRule.get(rule_id) ?? 0) + 1)
  return {
    alerts: alerts.map((row) => [row.alert_id, row.rule_id, row.opened, row.event_count]),
    deliveries: deliveries.map((row) => [row.delivery_id, row.alert_id, row.state]),
    correlation: [...byRule],
    cursors,
    counters: counters
      .map(({ source_id, outcome, reason, n }): [string, string, string, number] => [source_id, outcome, reason, n])
      .sort((a, b) => (a.join() < b.join() ? -1 : 1)),
    outboxRows: outbox.reduce((sum, { row_count }) => sum + row_count, 0),
    flushes: (await db.selectFrom('flushes').select('flush_id').execute()).length,
    ruleCache: (await db.selectFrom('rule_cache').select('key_hash').execute()).length,
  }
}

// One running program per folder, so in this order.
for (const version of versions)
  describe(`the data folder of ${version}`, { shuffle: false }, () => {
    const receiver = new FlakyReceiver(() => 1)
    let expected: Expected
    let caracal: Caracal

    beforeAll(async () => {
      const unpacked = unpack(version)
      const { folder } = unpacked
      expected = unpacked.expected
      const config = JSON.parse(readFileSync(join(folder, 'caracal.yml'), 'utf8')) as { destinations: { url: string }[] }
      config.destinations[0]!.url = `http://127.0.0.1:${await receiver.listen()}/`
      writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
      const clock = pathToFileURL(join(import.meta.dirname, 'support/clock.mjs'))
      clock.searchParams.set('ahead', String(expected.madeMs + 120_000 - Date.now()))
      const port = await freePort()
      caracal = new Caracal({
        port,
        dataDir: join(folder, 'data'),
        cwd: folder,
        args: ['--no-demo', '--listen', `127.0.0.1:${port}`],
        nodeArgs: ['--import', clock.href],
      })
    })
    afterAll(async () => {
      await caracal.end('SIGKILL')
      await receiver.close()
    })

    async function post(...users: readonly string[]): Promise<void> {
      const body = users.map((user) => `${JSON.stringify({ user, ok: true })}\n`).join('')
      expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
    }

    async function alertOf(rule: string, events: number): Promise<string> {
      return until(async () => {
        const answer = (await (await caracal.fetch('/api/v1/alerts?limit=100')).json()) as {
          results: { alert_id: string; rule_id: string; event_count: number }[]
        }
        const found = answer.results.filter(({ rule_id, event_count }) => rule_id === rule && event_count === events)
        expect(found.length).toBeLessThanOrEqual(1)
        return found[0]?.alert_id
      })
    }

    /** Resolves when a query's first row equals this one. */
    async function answers(sql: string, row: readonly unknown[]): Promise<void> {
      await until(async () => {
        const found = await caracal.query(sql).catch(() => [])
        return found[0]?.map(String).join() === row.map(String).join() ? true : undefined
      })
    }

    test('has its content once its state was migrated to this version', async () => {
      const { folder } = unpack(version)
      const db = await openState(join(folder, 'data'))
      const { spooledBodies: _, ...state } = expected.state as Expected['state'] & { spooledBodies: number }
      expect(await stateOf(db)).toEqual(state)
      await db.destroy()
    })

    test('continues where it was: each record that was ever sent is in the lake once', async () => {
      await caracal.start()
      const { sent } = expected
      const things = sent['disk']! - 1
      await answers('SELECT count(), uniqExact(seq), max(seq), uniqExact(p_row_id) FROM logs.custom_thing', [
        things,
        things,
        things - 1,
        things,
      ])
      await answers('SELECT sum(seq), sum(toUInt64(b)) FROM logs.custom_thing', [
        (things * (things - 1)) / 2,
        (7 * things * (things - 1)) / 2,
      ])
      await answers('SELECT count(), uniqExact(uid), sum(orig_bytes) FROM logs.zeek_conn', [100, 100, 4_950_000])
      await answers('SELECT count(), uniqExact(p_row_id) FROM logs.custom_login', [sent['web']! - 1, sent['web']! - 1])
      await answers('SELECT count() FROM monitor.dead_letters', [2])
      await answers("SELECT count() FROM matches.zeek_conn WHERE p_rule_id = 'Folder.Ssh'", [10])
      // Events from here on have their record and file in their row.
      await answers(
        "SELECT count() FROM matches.zeek_conn WHERE toUInt32(substring(uid, 8)) >= 60 AND position(p_raw, uid) > 0 AND p_source_file LIKE '%/conn.log'",
        [4],
      )
      await answers("SELECT sum(count) FROM monitor.indicators WHERE kind = 'ip_addresses'", [200])
      // The index of an older folder had no spans.
      await answers('SELECT min(length(spans)) FROM monitor.indicators', [1])
      await answers('SELECT count() FROM monitor.rule_errors', [1])
      // 13 logins, 10 of them successful, and the matches of the rules that alert: 10 of Ssh, 2 of Root, 3 of Many.
      await answers('SELECT count() FROM signals.correlation_signals', [13 + 10 + 2 + 3])
      await answers('SELECT count() FROM logs.all', [things + 100 + sent['web']! - 1])
    })

    test('counts every record once', async () => {
      await until(async () => {
        const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as {
          results: { id: string; records: { received: number; stored: number; dead_lettered: number } }[]
        }
        const records = Object.fromEntries(answer.results.map(({ id, records: { received } }) => [id, received]))
        return Object.entries(expected.sent).every(([id, n]) => records[id] === n) ? true : undefined
      })
    })

    test('knows its open alerts: further events join them, under the ids they had', async () => {
      const id = (rule: string) => expected.state.alerts.find(([, name]) => name === rule)![0]
      expect(await alertOf('Folder.Ssh', 10)).toBe(id('Folder.Ssh'))
      expect(await alertOf('Folder.Root', 2)).toBe(id('Folder.Root'))
      await post('root', 'mallory', 'mallory')
      expect(await alertOf('Folder.Root', 3)).toBe(id('Folder.Root'))
      // Three were below the threshold of five.
      expect(await alertOf('Folder.Many', 5)).toBe(id('Folder.Many'))
    })

    test('remembers the state of correlation rules and the rule cache', async () => {
      await post('ann', 'carol')
      expect(await alertOf('Folder.Guessed', 1)).toBeDefined()
      expect(await alertOf('Folder.Counted', 1)).toBeDefined()
    })

    test('sends the deliveries that had failed, under the ids they had', async () => {
      const ids = expected.state.deliveries.map(([delivery]) => delivery)
      await until(async () => (ids.every((delivery) => receiver.accepted.has(delivery)) ? true : undefined))
      for (const [delivery, alert] of expected.state.deliveries) expect(receiver.bodies.get(delivery)?.['alertId']).toBe(alert)
    })

    test('works, and ends', async () => {
      const health = (await (await caracal.fetch('/api/v1/health')).json()) as { status: string }
      // At worst degraded, because the shipped lists are old by then.
      expect(health.status).not.toBe('failing')
      expect(await caracal.end('SIGTERM')).toBe(0)
    })
  })
