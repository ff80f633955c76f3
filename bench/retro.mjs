// Retro-match: 10,000 new addresses, 100 of which occur in five events each, against 5,000,000 events of 30 days. Prints rows read and time.
// Usage: node bench/retro.mjs [events]
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, startCaracal } from './lib.mjs'

const EVENTS = Number(process.argv[2] ?? 5_000_000)
const NEW = 10_000
const OCCURRING = 100
const EACH = 5
/** Events that are committed together. */
const BATCH = 5000
const PART = 250_000
const DAYS = 29.9
const QUIET_MS = 20_000
const lists = mkdtempSync(join(tmpdir(), 'caracal-retro-'))
const list = join(lists, 'bad.txt')

const address = (first, n) => `${first}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
const write = (addresses) => writeFileSync(list, `${addresses.join('\n')}\n`)
/** Numbers of events that have one of the new addresses: spread evenly over the time, so that no two are close. */
const SPREAD = Math.floor(EVENTS / (OCCURRING * EACH))

function content(folder) {
  writeFileSync(
    join(folder, 'bad.yml'),
    `AnalysisType: lookup_table
LookupName: bad
Format: list
Match: ip
Indicators: { ip: ip }
Provider: { type: file, path: ${list} }
Checks: { MaxGrowthPercent: 1000000, MaxShrinkPercent: 100 }
Retro: { Days: 30 }
LogTypeMap:
  PrimaryKey: ip
  AssociatedLogTypes:
    - { LogType: Zeek.Conn, Selectors: [id_orig_h] }
`,
  )
  writeFileSync(
    join(folder, 'rule.yml'),
    `AnalysisType: rule
RuleID: Bench.Bad
Enabled: true
Severity: High
LogTypes: [Zeek.Conn]
Detection:
  - { DeepKey: [p_enrichment, bad, id_orig_h, ip], Condition: Exists }
`,
  )
}

/** Fills the lake as the pipeline would: events, and for each batch a row of the index for each of its addresses. */
async function fill(lakeFolder) {
  const { Session } = await import('chdb')
  const session = new Session(lakeFolder, { connectionArgs: ['--max_server_memory_usage=3000000000'] })
  const run = async (sql) => (await session.queryAsync(sql, { format: 'JSONCompactEachRow' })).text()
  const stepNs = Math.floor((DAYS * 86_400e9) / EVENTS)
  const startMs = Date.now() - DAYS * 86_400_000
  const time = `fromUnixTimestamp64Nano(${Math.floor(startMs)} * 1000000 + toInt64(number) * ${stepNs}, 'UTC')`
  const from = `if(number % ${SPREAD} = 3 AND number < ${SPREAD * OCCURRING * EACH}, concat('198.18.0.', toString(intDiv(number, ${SPREAD}) % ${OCCURRING})), concat('20.', toString(sipHash64(number) % 16), '.', toString(sipHash64(number, 1) % 256), '.', toString(sipHash64(number, 2) % 256)))`
  const to = "concat('10.0.0.', toString(number % 200))"
  for (let at = 0; at < EVENTS; at += PART) {
    const numbers = `numbers(${at}, ${Math.min(PART, EVENTS - at)})`
    await run(`INSERT INTO logs.zeek_conn (p_log_type, p_row_id, p_event_time, p_parse_time, p_source_id, p_source_label, p_schema_version, p_any_ip_addresses,
      ts, uid, id_orig_h, id_orig_p, id_resp_h, id_resp_p, proto, service, duration, orig_bytes, resp_bytes, conn_state, history, orig_pkts, resp_pkts)
      SELECT 'Zeek.Conn', lower(hex(sipHash128(number))), ${time} AS t, t, 'zeek', 'zeek', 1, [${from} AS f, ${to} AS r],
      t, concat('C', hex(sipHash64(number, 3))), f, 1024 + number % 60000, r, 443, 'tcp', 'ssl', sipHash64(number, 4) % 1000 / 100, sipHash64(number, 5) % 9000, sipHash64(number, 6) % 90000, 'SF', 'ShADadfF', number % 40, number % 30
      FROM ${numbers}`)
    await run(`INSERT INTO monitor.indicators (kind, value, p_log_type, p_source_id, day, count, first, last, p_parse_time)
      SELECT 'ip_addresses', value, 'Zeek.Conn', 'zeek', toDate32(min(t)), count(), min(t), max(t), max(t)
      FROM (SELECT number, ${time} AS t, arrayJoin([${from}, ${to}]) AS value FROM ${numbers})
      GROUP BY value, intDiv(number, ${BATCH}), toDate32(t)`)
  }
  const [counts] = (await run('SELECT (SELECT count() FROM logs.zeek_conn), (SELECT count() FROM monitor.indicators)')).split(
    '\n',
  )
  session.close()
  return JSON.parse(counts)
}

async function untilStored(caracal) {
  const body =
    '{"_path":"conn","ts":1713520800.1,"uid":"C1","id.orig_h":"203.0.113.7","id.orig_p":1,"id.resp_h":"192.0.2.1","id.resp_p":25,"proto":"tcp"}'
  await caracal.post('default', body)
  while (JSON.stringify(await caracal.query('SELECT count() FROM logs.zeek_conn')) !== '[[1]]')
    await new Promise((resolve) => setTimeout(resolve, 200))
}

/** Puts a list in force; resolves with the retro-match that follows, or with nothing if none does. */
async function learn(caracal, addresses, before) {
  write(addresses)
  const start = performance.now()
  await fetch(`${caracal.url}/api/v1/tables/bad/refresh`, { method: 'POST', headers: caracal.headers })
  const refreshedMs = performance.now() - start
  for (;;) {
    const { results } = await caracal.get('/api/v1/replays')
    const [last] = results
    if (results.length > before && last.state === 'done') return { ms: performance.now() - start, refreshedMs, replay: last }
    if (results.length === before && performance.now() - start > QUIET_MS) return undefined
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

console.log(`# Retro-match\n${machine()}`)
write(['203.0.113.1'])
let caracal = await startCaracal({}, content)
await untilStored(caracal)
await caracal.stop({ keep: true })
const lake = join(caracal.folder, 'data/lake')
if (!existsSync(lake)) throw new Error(`there is no lake in ${lake}`)
const start = performance.now()
const [events, indexed] = await fill(lake)
console.log(`filled in ${Math.round((performance.now() - start) / 1000)} s: ${events} events, ${indexed} rows of the index`)
caracal = await startCaracal({}, content, caracal.folder)
const absent = Array.from({ length: NEW }, (_, n) => address(45, n))
const present = Array.from({ length: OCCURRING }, (_, n) => `198.18.0.${n}`)
const none = await learn(caracal, ['203.0.113.1', ...absent], 0)
console.log(
  none ? `unexpected: ${JSON.stringify(none.replay)}` : `${NEW} new addresses, none of which occurs: no events are read`,
)
const other = Array.from({ length: NEW - OCCURRING }, (_, n) => address(46, n))
const found = await learn(caracal, ['203.0.113.1', ...absent, ...other, ...present], 0)
const { replay, ms, refreshedMs } = found ?? {}
if (!replay) throw new Error('no retro-match ran')
const share = ((100 * replay.rows_read) / events).toFixed(2)
console.log(
  `${NEW} new addresses, ${OCCURRING} of which occur in ${EACH} events each: ${replay.records.read} events judged again, ${replay.rows_read} of ${events} rows read (${share} %), ${replay.alerts} alerts, ${(ms / 1000).toFixed(1)} s (refresh ${(refreshedMs / 1000).toFixed(1)} s)`,
)
await caracal.stop()
rmSync(lists, { recursive: true, force: true })
const isMet = replay.records.read === OCCURRING * EACH && replay.rows_read <= 0.03 * events && ms < 60_000 && !none
console.log(isMet ? 'met: at most 3 % of the rows, within a minute' : 'NOT met')
process.exit(isMet ? 0 : 1)
