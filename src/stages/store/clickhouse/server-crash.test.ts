import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { globSync } from 'tinyglobby'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClickhouseServer, whyNoServer } from '../../../../test/support/clickhouse-server.ts'
import { openTestLake } from '../../../../test/support/server-lake.ts'
import type { Column, TableSpec } from '../../../model/column.ts'
import { RetryLater } from '../../../util/errors.ts'
import { INDEX } from '../indicators.ts'
import { insertInto } from '../insert.fixture.ts'
import type { Lake } from '../lake.ts'

const text = (name: string): Column => ({ name, kind: 'string', required: true })
const time = (name: string): Column => ({ name, kind: 'timestamp', required: true })
const table = (database: string, name: string, more: readonly Column[] = []): TableSpec => ({
  database,
  table: name,
  timeColumn: 'p_event_time',
  columns: [text('p_row_id'), time('p_event_time'), time('p_parse_time'), ...more],
})
const EVENTS = table('logs', 't')
const MATCHES = table('matches', 't', [text('p_rule_id'), text('p_alert_id')])
const ERRORS = table('monitor', 'rule_errors', [{ name: 'message', kind: 'string' }])
const NOON = '2026-03-02T12:00:00.5Z'

/** In three weeks, so in three partitions. */
const rowsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => [`row ${first + i}`, NOON, `2026-03-${['02', '09', '16'][i % 3]}T12:00:00.25Z`])

let server: ClickhouseServer
let dataDir: string
let lake: Lake

/** The size of all token logs, in bytes. */
function tokenBytes(): number {
  const logs = globSync('store/*/*/deduplication_logs/*.txt', { cwd: server.data, absolute: true })
  return logs.reduce((sum, log) => sum + statSync(log).size, 0)
}

/** Kills the server as soon as its token logs have grown `times` times, unless `isOver`. */
async function killAsTokensGrow(times: number, isOver: () => boolean): Promise<boolean> {
  let before = tokenBytes()
  for (let grown = 0; grown < times && !isOver(); ) {
    const now = tokenBytes()
    if (now > before) {
      grown++
      before = now
    } else await setImmediate()
  }
  if (isOver()) return false
  await server.kill()
  await server.start()
  return true
}

/** As the flusher does. */
async function insertAlways(spec: TableSpec, rows: readonly unknown[][], token: string): Promise<void> {
  for (;;) {
    try {
      expect(await insertInto(lake, spec, rows, token)).toEqual([])
      return
    } catch (error) {
      expect(error).toBeInstanceOf(RetryLater)
    }
  }
}

describe.skipIf(whyNoServer)(`a server that is killed${whyNoServer ? ` (${whyNoServer})` : ''}`, () => {
  beforeAll(async () => {
    server = await ClickhouseServer.start()
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    await server.reset()
    dataDir = mkdtempSync(join(tmpdir(), 'caracal-server-crash-'))
    lake = await openTestLake(server, dataDir)
  })
  afterEach(async () => {
    await lake.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test('while tokens are logged has every row once', { timeout: 300_000 }, async () => {
    await lake.ensure(EVENTS)
    let [kills, insert] = [0, 0]
    for (; kills < 20; insert++) {
      let isOver = false
      const kill = killAsTokensGrow((insert % 3) + 1, () => isOver)
      await insertAlways(EVENTS, rowsFrom(insert * 300, 300), `flush ${insert}`)
      isOver = true
      if (await kill) kills++
    }
    const counted = await lake.query('SELECT count(), uniqExact(p_row_id), uniqExact(_partition_id) FROM logs.t')
    expect(counted.rows).toEqual([`[${insert * 300}, ${insert * 300}, 3]`])
  })

  const written = [
    { what: 'events', spec: EVENTS, row: ['a', NOON, NOON] },
    { what: 'matches', spec: MATCHES, row: ['a', NOON, NOON, 'Rule', 'alert'] },
    { what: 'errors of rules', spec: ERRORS, row: ['a', NOON, NOON, null] },
    { what: 'the index', spec: INDEX, row: ['ip_addresses', '192.0.2.1', 'Test.T', 'web', 1, NOON, NOON, NOON] },
  ]
  test.each(written)(
    'between logging the token and storing the rows of $what stores them when they are repeated',
    async ({ spec, row }) => {
      await lake.ensure(spec)
      const earlier = row.map((value) => (value === NOON ? '2026-03-02T11:00:00Z' : value === 'a' ? 'earlier' : value))
      await insertInto(lake, spec, [earlier], 'earlier')
      await insertInto(lake, spec, [row], 'lost')
      await server.kill()
      // What such a kill leaves: the token is in the log, but the part is not in place.
      const [part, ...others] = globSync('store/*/*/2*_2_2_0', { cwd: server.data, onlyDirectories: true, absolute: true })
      expect(others).toEqual([])
      rmSync(part!, { recursive: true })
      await server.start()
      const count = async () => (await server.run(`SELECT count() FROM ${spec.database}.${spec.table}`)).trim()
      expect(await count()).toBe('[1]')
      for (let again = 0; again < 3; again++) await insertAlways(spec, [row], 'lost')
      expect(await count()).toBe('[2]')
      await insertAlways(spec, [earlier], 'earlier')
      expect(await count()).toBe('[2]')
    },
  )
})
