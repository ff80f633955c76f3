// Known facts about the Zeek files of the sample data: counts measured by other means, and outcomes that follow from
// the nature of each file.

/** Fields that only the JSON logger adds. */
const JSON_ONLY = new Set(['p_row_id', '_path', '_write_ts'])

/** TSV has six digits behind the point (times: microseconds), JSON a double's shortest text. */
const ROUNDING = 1e-6

/**
 * The two WRCCDC sets hold the same records: their events must be equal but for the JSON logger's own fields, the
 * rounding of numbers, and one thing that TSV cannot say: a set of one empty string is written like an empty set.
 */
export function compareTsvWithJson(file, tsv, json) {
  if (tsv.length !== json.length) return [`${file}: ${tsv.length} events from TSV, ${json.length} from JSON`]
  const breaches = []
  tsv.forEach((left, index) => {
    const right = json[index]
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (!JSON_ONLY.has(key) && !isSame(left[key], right[key])) {
        breaches.push(`${file} event ${index}, ${key}: TSV ${JSON.stringify(left[key])}, JSON ${JSON.stringify(right[key])}`)
      }
    }
  })
  return breaches
}

function isSame(left, right) {
  if (left === right) return true
  if (typeof left === 'number' && typeof right === 'number') return Math.abs(left - right) <= ROUNDING
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length === 0 && right.length === 1 && right[0] === '') return true
    return left.length === right.length && left.every((value, i) => isSame(value, right[i]))
  }
  const times = [left, right].map((value) => /^(\d{4}-[^.Z]*)(\.\d+)?Z$/.exec(value ?? ''))
  return times.every(Boolean) && times[0][1] === times[1][1] && isSame(Number(times[0][2] ?? 0), Number(times[1][2] ?? 0))
}

/** Known counts of a day of do-server-2024. */
const DAYS = {
  '2024-04-19': { 'Zeek.Conn': 31_367, 'Zeek.SSH': 6633, 'Zeek.HTTP': 9873, 'Zeek.DNS': 1833, 'Zeek.Ssl': 43, 'Zeek.Notice': 8 },
  '2024-04-20': { 'Zeek.Conn': 39_073, 'Zeek.SSH': 4895, 'Zeek.HTTP': 3817, 'Zeek.DNS': 1828, 'Zeek.Ssl': 45, 'Zeek.Notice': 10 },
}

function doServer(results) {
  const breaches = []
  for (const [day, counts] of Object.entries(DAYS)) {
    for (const [logType, wanted] of Object.entries(counts)) {
      let found = 0
      for (const [file, { events }] of results) if (file.startsWith(day)) found += events[logType] ?? 0
      if (found !== wanted) breaches.push(`${day} ${logType}: ${found} events, known are ${wanted}`)
    }
  }
  for (const [file, { events, reasons, unknown }] of results) {
    const isProse = file.includes('/conn-summary.')
    const dead = Object.keys(reasons).join()
    if (isProse && (dead !== 'not_a_log' || Object.keys(events).length > 0))
      breaches.push(`${file} is prose but gave ${JSON.stringify({ events, reasons })}`)
    if (!isProse && dead !== '') breaches.push(`${file} has dead letters: ${JSON.stringify(reasons)}`)
    if (Object.keys(unknown).length > 0) breaches.push(`${file} has unknown fields: ${Object.keys(unknown)}`)
  }
  return breaches
}

/** File → what must come out: events by log type and dead letters by reason together. */
const RITA = {
  'has_unknown_field/http.log': { 'Zeek.HTTP': 4, truncated: 1 },
  'text_file/conn.log': { not_a_log: 5 },
  'truncated/conn.log': { 'Zeek.Conn': 58, truncated: 1 },
  'truncated/conn_json.log': { 'Zeek.Conn': 3, invalid_json: 1 },
  'truncated/conn_top.log': { no_header: 59 },
}

/** Zeek's baselines: times are masked (no time in TSV, no JSON in JSON), and logs of its tests have types of their own: in TSV those of their headers. */
const FORMAT_EDGE = {
  'ascii-binary/ssh.log': { missing_field: 3 },
  'ascii-double/json.log': { unknown_log_type: 22 },
  'ascii-double/test.log': { 'Zeek.Test': 22 },
  'ascii-empty/ssh-filtered.log': { not_a_log: 7, no_header: 5 },
  'ascii-escape-binary/test.log': { 'Zeek.Test': 8 },
  'ascii-escape-odd-url/http.log': { invalid_time: 1 },
  'ascii-escape/ssh.log': { missing_field: 5 },
  'ascii-gz/ssh-uncompressed.log': { unknown_log_type: 1 },
  'ascii-gz/ssh.log': { missing_field: 1 },
  'ascii-json-iso-timestamps/ssh.log': { unknown_log_type: 10 },
  'ascii-json-optional/testing.log': { unknown_log_type: 1 },
  'ascii-json-optional/testing_nullfields.log': { unknown_log_type: 1 },
  'ascii-json-utf8/ssh.log.hex': { unknown_log_type: 49 },
  'ascii-json/ssh.log': { invalid_json: 1 },
  'ascii-line-like-comment/test.log': { 'Zeek.Test': 3 },
  'ascii-logdir/ssh-filtered.log': { not_a_log: 7, no_header: 5 },
  'ascii-negative-ts/test.log.ts_epoch': { unknown_log_type: 1 },
  'ascii-options/ssh.log': { no_header: 5 },
  'ascii-tsv/ssh-filtered.log': { no_header: 6 },
  'attr-extend/ssh.log': { missing_field: 1 },
  'field-extension/conn.log': { invalid_time: 34 },
  'field-name-map/conn.log': { invalid_time: 34 },
  'json-non-printable-escaping/http.log.json': { invalid_json: 4 },
  'json-non-printable-escaping/http.log.tsv': { invalid_time: 4 },
  'scope_sep/conn.log': { invalid_time: 34 },
  'telemetry/telemetry.log': { invalid_time: 15 },
  'types/ssh.log': { missing_field: 1 },
  'unset-record/testing.log': { 'Zeek.Testing': 2 },
  'vec/ssh.log': { missing_field: 1 },
}

/** `conn_date_issue.log` has a tab before its separator; the set is whole. */
const ZAT = {
  'conn_date_issue.log': { 'Zeek.Conn': 3 },
  'http_empty.log': {},
  'ssl.log': { 'Zeek.Ssl': 37 },
  'app_stats.log': { 'Zeek.AppStats': 2 },
}

const SLIPS = {
  'port-scans/vertical/conn.log': { 'Zeek.Conn': 50 },
  'test9-mixed-zeek-dir/notice.log': { 'Zeek.Notice': 18 },
}

function outcomes(table, areOthersWhole) {
  return (results) => {
    const breaches = []
    for (const [file, wanted] of Object.entries(table)) {
      const result = results.get(file)
      const found = result && JSON.stringify({ ...result.events, ...result.reasons })
      if (found !== JSON.stringify(wanted)) breaches.push(`${file} gave ${found}, should give ${JSON.stringify(wanted)}`)
    }
    for (const [file, { reasons }] of areOthersWhole ? results : []) {
      if (!(file in table) && Object.keys(reasons).length > 0)
        breaches.push(`${file} has dead letters: ${JSON.stringify(reasons)}`)
    }
    return breaches
  }
}

/** Every record is an event, their number is known, and no field is unknown. */
function whole(count) {
  return (results) => {
    const all = [...results.values()]
    const events = all.flatMap((result) => Object.values(result.events)).reduce((a, b) => a + b, 0)
    const breaches = events === count ? [] : [`${events} events, known are ${count}`]
    const unknown = new Set(all.flatMap((result) => Object.keys(result.unknown)))
    return unknown.size === 0 ? breaches : [...breaches, `unknown fields: ${[...unknown].join(', ')}`]
  }
}

/** Data set → checks over its files' results; each answers its breaches. */
export const expectations = {
  'apt29-day1-json': [whole(4280)],
  'do-server-2024': [doServer],
  'rita-edge': [outcomes(RITA, true)],
  slips: [outcomes(SLIPS, true), whole(3910)],
  'wrccdc-2018-json': [whole(158_439)],
  'wrccdc-2018-tsv': [whole(158_439)],
  'zat-tsv': [outcomes(ZAT, true)],
  'zeek-format-edge': [outcomes(FORMAT_EDGE, false)],
}

/** Connections of do-server-2024 whose origin is on the Tor exit list of the same day (11:00 UTC), as the data's README names them. */
export const torJoins = [
  { day: '2024-04-19', list: 'latest.exits.2024-04-19T11.csv', uids: ['CGv0F22WzS1fcqtfej'] },
  {
    day: '2024-04-20',
    list: 'latest.exits.2024-04-20T11.csv',
    uids: ['COx1NfWiwR6v2UAql', 'CHPKxV3NORBDCNHjt6', 'CfEohQ18fwVd3zZEDa', 'CBEfXYL2i7MKaykpe'],
  },
]
