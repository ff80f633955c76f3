// Bytes on disk per event of real logs: `npm run build && node bench/disk.mjs [DIR]` (DIR holds the logs, ../shared/data by default).
// Each log goes once through the same server by a source of its own; sizes are read when merges no longer change them.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { globSync } from 'tinyglobby'
import { machine, root, startCaracal } from './lib.mjs'

const data = resolve(process.argv[2] ?? join(root, '../shared/data'))
if (!existsSync(data)) {
  console.error(`there is no ${data}; name the folder with the logs`)
  process.exit(2)
}

const LOGS = {
  'Zeek.Conn': 'zeek/do-server-2024/**/conn.*',
  'Zeek.DNS': 'zeek/do-server-2024/**/dns.*',
  'Zeek.HTTP': 'zeek/do-server-2024/**/http.*',
  'Zeek.SSH': 'zeek/do-server-2024/**/ssh.*',
  'Apache.AccessCombined': 'web/elastic/apache_logs.gz',
  'Syslog.RFC3164': 'auth/loghub/*_2k.log',
  'AWS.CloudTrail': 'cloudtrail/invictus-2023-07-10/**/*.json*',
  'Suricata.Flow': 'suricata/slips-test6/*',
}
const QUIET_MS = 15_000

function textOf(file) {
  const bytes = readFileSync(file)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}

/** What the lake takes once all records are in it and merges leave it alone. */
async function settled(caracal) {
  for (let last, since = Date.now(); ; await setTimeout(1000)) {
    const waiting = (await caracal.get('/api/v1/sources')).results.some((source) => source.records.in_flight > 0)
    const now = await caracal.get('/api/v1/retention')
    const moved = last === undefined || Math.abs(now.bytes - last.bytes) > last.bytes / 1000
    if (waiting || moved) [last, since] = [now, Date.now()]
    else if (Date.now() - since > QUIET_MS) return now
  }
}

const id = (logType) => logType.toLowerCase().replaceAll('.', '-')
// Suricata's records name their log type; the others are told apart by their source.
const sources = Object.keys(LOGS).map((logType) => ({
  type: 'http',
  id: id(logType),
  ...(!logType.startsWith('Suricata') && { log_types: [logType] }),
}))
// Without the detections that are shipped, so that matches and alerts are no part of what logs take.
const disabled_packs = ['Caracal.Host', 'Caracal.WebServer', 'Caracal.GreyNoise', 'Caracal.Netstat', 'Caracal.Tor']
const caracal = await startCaracal({ sources, disabled_packs })
const sent = { bytes: 0, zipped: 0 }
for (const [logType, pattern] of Object.entries(LOGS)) {
  const texts = globSync(pattern, { cwd: data, absolute: true }).sort().map(textOf)
  if (texts.length === 0) throw new Error(`no file ${pattern} below ${data}`)
  for (const text of texts) {
    sent.bytes += text.length
    sent.zipped += gzipSync(text).length
    await caracal.post(id(logType), text)
  }
}
const { bytes, log_types } = await settled(caracal)
const records = (await caracal.get('/api/v1/sources')).results.map(({ records }) => records)
const [received, stored] = ['received', 'stored'].map((count) => records.reduce((sum, one) => sum + one[count], 0))
await caracal.stop()

console.log(`\nsize of the lake\n${machine()}`)
for (const { log_type, rows, bytes } of log_types)
  console.log(
    `  ${log_type.padEnd(24)} ${String(rows).padStart(8)} events ${(bytes / rows).toFixed(0).padStart(8)} bytes an event`,
  )
const events = log_types.reduce((sum, one) => sum + one.bytes, 0)
const per = (size) => `${(size / stored).toFixed(0)} bytes an event`
console.log(`  sent ${received} records, ${per(sent.bytes)} (as gzip ${per(sent.zipped)}); stored ${stored}`)
console.log(
  `  events ${per(events)}, the index of indicators and the rest ${per(bytes - events)}: ${(bytes / sent.bytes).toFixed(2)} of what was sent`,
)
