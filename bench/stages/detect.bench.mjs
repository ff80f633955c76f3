import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

// bench/stages/detect.bench.ts
/**
 * Python detection on one core: 20 rules on Zeek connections of about 390 bytes, JSON text to findings, transfer included.
 * Uses the compiled code: `npm run build` first. Run from the repository folder. Argument: seconds to measure (default 10).
 */
const dist = process.env['CARACAL_DIST'] ?? 'dist'
const load = (path) => import(pathToFileURL(`${dist}/${path}`).href)
const { python } = await load('stages/detect/python/index.js')
const { detectEvents } = await load('stages/detect/step.js')
const HELPER = `
def is_outbound(event):
    return event.get('local_orig') is True and event.get('local_resp') is False
def service(event):
    return (event.get('service') or '').lower()
`
const rules = [
  "return event.get('id_resp_p') == 23",
  "return event.get('id_resp_p') in (3389, 5900) and event.get('conn_state') == 'SF'",
  "return event.deep_get('p_enrichment', 'tor_exit_nodes', 'id_orig_h', 'ip') is not None",
  "return event['conn_state'] == 'S0' and event['history'] == 'ScADCc'",
  "return event.get('orig_bytes', 0) > 1_000_000_000",
  "return h.is_outbound(event) and event.get('resp_bytes', 0) > 10_000_000",
  "return h.service(event) == 'irc'",
  "return event.get('id_orig_h', '').startswith('10.9.') and event.get('id_resp_p') == 445",
  "return event.get('missing_field') == 'x'",
  "return event.get('proto') == 'icmp' and event.get('orig_pkts', 0) > 1000",
  "return bool(event.deep_get('p_enrichment', 'greynoise_noise_basic'))",
  "return event.get('duration', 0) > 86_400",
  "return any(p in event.get('history', '') for p in ('hRr', 'FfFf'))",
  "return event.get('conn_state') in {'REJ', 'RSTO'} and event.get('id_resp_p') == 22",
  "return ipaddress.ip_address(event['id_resp_h']).is_multicast if event.get('id_resp_p') == 9999 else False",
  "return event.get('vlan') is not None and event.get('vlan') > 4000",
  "return event.get('uid') == 'CNoSuchUid' or event.get('service') == 'socks'",
  "return event.get('resp_l2_addr') == 'ff:ff:ff:ff:ff:ff'",
  "return fnmatch.fnmatch(event.get('service') or '', 'dns*tunnel')",
  "return event.udm('source_ip') == '203.0.113.7' if event.get('id_resp_p') == 4444 else False",
].map((body, i) =>
  rule(`Bench.${i}`, `import fnmatch\nimport ipaddress\nimport bench_helpers as h\n\ndef rule(event):\n    ${body}\n`),
)
const helpers = [
  {
    name: 'bench_helpers',
    file: '/bench/bench_helpers.py',
    code: HELPER,
    folder: void 0,
    root: '/bench',
  },
]
const events = Array.from({ length: 5e3 }, (_, i) => connection(i))
const bytes = Buffer.byteLength(events.map((event) => JSON.stringify(event)).join('\n')) / events.length
const started = performance.now()
const detector = await python.create(
  {
    rules,
    helpers,
  },
  {
    timeoutMs: 1e3,
    all: false,
  },
)
await detectEvents('Zeek.Conn', events.slice(0, 1), [detector])
console.log(`start to first judged event   ${Math.round(performance.now() - started)} ms`)
console.log(`child's resident memory, idle ${resident(detector.pid)} MB`)
for (let i = 0; i < 3; i++) await detectEvents('Zeek.Conn', events, [detector])
detector.timings()
const seconds = Number(process.argv[2] ?? 10)
const begin = performance.now()
const cpuBefore = cpu(detector.pid)
let judged = 0
let matches = 0
while (performance.now() - begin < seconds * 1e3) {
  matches += (await detectEvents('Zeek.Conn', events, [detector])).length
  judged += events.length
}
const elapsed = (performance.now() - begin) / 1e3
const inRules = detector.timings().reduce((sum, timing) => sum + timing.seconds, 0)
console.log(`events/s                      ${Math.round(judged / elapsed)}`)
console.log(
  `µs/event                      ${((elapsed / judged) * 1e6).toFixed(1)} (of it in the rules' loop ${((inRules / judged) * 1e6).toFixed(1)})`,
)
console.log(`child's CPU µs/event          ${(((cpu(detector.pid) - cpuBefore) / judged) * 1e6).toFixed(1)}`)
console.log(`bytes/event                   ${Math.round(bytes)}`)
console.log(`rules                         ${rules.length}, findings ${matches}`)
console.log(`child's resident memory, busy ${resident(detector.pid)} MB`)
await detector.close()
function rule(id, code) {
  return {
    id,
    displayName: void 0,
    enabled: true,
    logTypes: ['Zeek.Conn'],
    severity: 'INFO',
    description: '',
    reference: '',
    runbook: '',
    tags: [],
    reports: {},
    dedupPeriodMinutes: 60,
    threshold: 1,
    summaryAttributes: [],
    outputIds: [],
    createAlert: true,
    tests: [],
    file: `/bench/${id}.yml`,
    source: {
      language: 'python',
      file: `/bench/${id}.py`,
      code,
    },
  }
}
function connection(i) {
  return {
    ts: `2024-04-19T10:00:00.${String(i % 1e3).padStart(3, '0')}Z`,
    uid: `C${i.toString(36)}f4XX17hSAgXDd`,
    id_orig_h: `10.0.${i % 256}.6`,
    id_orig_p: 5e4 + (i % 9e3),
    id_resp_h: `198.51.100.${i % 254}`,
    id_resp_p: [53, 80, 443, 22, 123][i % 5],
    proto: i % 3 ? 'tcp' : 'udp',
    service: ['dns', 'http', 'ssl', null][i % 4],
    duration: (i % 700) / 7,
    orig_bytes: i * 3,
    resp_bytes: i * 5,
    conn_state: 'SF',
    missed_bytes: 0,
    history: 'ShADadFf',
    orig_pkts: i % 50,
    resp_pkts: i % 60,
    p_log_type: 'Zeek.Conn',
    p_row_id: `${i.toString(16).padStart(16, '0')}000000`,
    p_event_time: '2024-04-19T10:00:00.123Z',
    p_parse_time: '2024-04-19T10:00:01Z',
    p_source_id: 'bench',
    p_source_label: 'bench',
    p_schema_version: 1,
    p_any_ip_addresses: [`10.0.${i % 256}.6`],
  }
}
/** Seconds of processor time so far; Linux only (0 elsewhere). */
function cpu(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}
/** Megabytes; Linux only. */
function resident(pid) {
  try {
    return String(Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024))
  } catch {
    return 'unknown'
  }
}
