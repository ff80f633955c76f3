// The whole path on Zeek conn JSON: HTTP in, five tables of 1k-100k rows of which 1 % hit, twenty Python rules, lake on.
// Beside it, in the same minute, JSON.parse alone on the same lines: the yardstick.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { address, connLine, cpuSeconds, machine, memory, percentile, startCaracal } from './lib.mjs'

const EVENTS = Number(process.env.BENCH_EVENTS ?? 200_000)
const BODY = 2000
const TABLES = [1_000, 5_000, 10_000, 50_000, 100_000]

function content(folder) {
  TABLES.forEach((rows, t) => {
    const name = `bench_${t}`
    const lines = Array.from({ length: rows }, (_, i) => `${address(t * 1_000_000 + i)},note ${i}`)
    writeFileSync(join(folder, `${name}.csv`), `ip,note\n${lines.join('\n')}\n`)
    writeFileSync(
      join(folder, `${name}.yml`),
      `AnalysisType: lookup_table\nLookupName: ${name}\nEnabled: true\nFilename: ${name}.csv\nMatch: ip\nLogTypeMap:\n  PrimaryKey: ip\n  AssociatedLogTypes:\n    - LogType: Zeek.Conn\n      Selectors: [id_orig_h]\n`,
    )
  })
  for (let r = 0; r < 20; r++) {
    writeFileSync(
      join(folder, `rule_${r}.yml`),
      `AnalysisType: rule\nRuleID: Bench.Rule.${r}\nFilename: rule_${r}.py\nEnabled: true\nLogTypes: [Zeek.Conn]\nSeverity: Low\n`,
    )
    writeFileSync(
      join(folder, `rule_${r}.py`),
      [
        'def rule(event):',
        `    if event.get("id_resp_p") != ${[22, 23, 25, 3389, 445][r % 5]}:`,
        '        return False',
        `    return event.get("conn_state") == "S0" and event.get("orig_bytes", 0) > ${8990 + (r % 10)}`,
        '',
        'def title(event):',
        `    return f"bench ${r} {event.get('id_orig_h')}"`,
      ].join('\n'),
    )
  }
}

const lines = Array.from({ length: EVENTS }, (_, i) => {
  const t = i % 500
  // One in a hundred is in one of the tables.
  return connLine(i, t < 5 ? address(t * 1_000_000 + (i % TABLES[t])) : undefined)
})
const bytes = lines.reduce((n, line) => n + line.length, 0) / lines.length
const parseStart = performance.now()
let keys = 0
for (const line of lines) keys += JSON.parse(line).uid.length
const parseUs = ((performance.now() - parseStart) * 1000) / EVENTS
if (keys === 0) throw new Error('nothing was parsed')

const caracal = await startCaracal(
  { sources: [{ type: 'http', id: 'bench', log_types: ['Zeek.Conn'] }], content: ['content'] },
  content,
)
const bodies = []
for (let i = 0; i < EVENTS; i += BODY) bodies.push(`${lines.slice(i, i + BODY).join('\n')}\n`)
await caracal.post('bench', `${connLine(EVENTS)}\n`)
while ((await caracal.source('bench')).records.stored < 1) await new Promise((resolve) => setTimeout(resolve, 20))
const cpuBefore = cpuSeconds(caracal.pid)
const start = performance.now()
let next = 0
const senders = Array.from({ length: 4 }, async () => {
  while (next < bodies.length) await caracal.post('bench', bodies[next++])
})
await Promise.all(senders)
const sentSecs = (performance.now() - start) / 1000
for (;;) {
  const { records } = await caracal.source('bench')
  if (records.stored + records.dead_lettered >= EVENTS + 1) break
  await new Promise((resolve) => setTimeout(resolve, 20))
}
const committedSecs = (performance.now() - start) / 1000
while (Number((await caracal.query('SELECT count() FROM logs.zeek_conn'))?.[0]?.[0] ?? 0) < EVENTS + 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
const lakeSecs = (performance.now() - start) / 1000
const cpu = cpuSeconds(caracal.pid) - cpuBefore
const text = await caracal.metrics()
const stage = (name) => Number(new RegExp(`caracal_stage_seconds_sum\\{stage="${name}"\\} (\\S+)`).exec(text)?.[1] ?? 0)
const enriched = await caracal.query('SELECT countIf(p_enrichment IS NOT NULL) FROM logs.zeek_conn')

console.log(
  `\nwhole path: ${EVENTS} Zeek conn events, ${bytes.toFixed(0)} bytes each; tables of ${TABLES.join(', ')} rows, ${enriched[0][0]} events hit; 20 Python rules; lake on`,
)
console.log(machine())
console.log(`  JSON.parse alone        ${(1e6 / parseUs).toFixed(0).padStart(9)} events/s  ${parseUs.toFixed(2)} µs an event`)
console.log(`  taken (2xx, fsynced)    ${(EVENTS / sentSecs).toFixed(0).padStart(9)} events/s`)
console.log(`  committed (alerts made) ${(EVENTS / committedSecs).toFixed(0).padStart(9)} events/s`)
console.log(`  in the lake             ${(EVENTS / lakeSecs).toFixed(0).padStart(9)} events/s`)
console.log(`  CPU of all processes    ${((cpu * 1e6) / EVENTS).toFixed(1).padStart(9)} µs an event`)
for (const name of ['parse', 'enrich', 'detect', 'commit'])
  console.log(`  ${name.padEnd(8)} ${((stage(name) * 1e6) / EVENTS).toFixed(2).padStart(8)} µs an event (waiting included)`)
console.log(
  `  memory after: ${memory(caracal.pid)
    .map(({ command, mib }) => `${command || 'node'} ${mib} MiB`)
    .join(', ')}`,
)

const posts = []
for (let i = 0; i < 500; i++) {
  const body = `${connLine(i, '203.0.113.9').replace('"id.resp_p":80', '"id.resp_p":22')}\n`
  const before = performance.now()
  await caracal.post('bench', body)
  posts.push(performance.now() - before)
}
console.log(
  `  single posts: answered in p50 ${percentile(posts, 0.5).toFixed(1)} ms, p99 ${percentile(posts, 0.99).toFixed(1)} ms`,
)
await caracal.stop()
