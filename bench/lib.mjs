// Shared by the benches: a machine line, a temporary Caracal, generated logs, percentiles.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { family, secondsOf } from '../scripts/lib/cpu.mjs'
import { freePort } from '../scripts/lib/free-port.mjs'

export { cpuSeconds, family } from '../scripts/lib/cpu.mjs'

export const root = fileURLToPath(new URL('..', import.meta.url))
/** The checkout whose compiled code is measured. */
const checkout = process.env.BENCH_CHECKOUT ?? root

export function machine() {
  const cpu = cpus()
  return `${cpu.length} cores of ${cpu[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`
}

/** The same numbers for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = seeded(7)
const pick = (list) => list[Math.floor(random() * list.length)]
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const uid = () => `C${Array.from({ length: 17 }, () => pick(letters)).join('')}`
/** Nine of ten addresses are in no table; the rest are distributed over the tables by `tableRows`. */
export const address = (n) => `${10 + (n >>> 24)}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`

/** One Zeek conn event as JSON, about 390 bytes. `origin` chooses the client's address. */
export function connLine(i, origin) {
  const time = (1_700_000_000 + i * 0.01).toFixed(6)
  const from = origin ?? `172.${16 + (i % 16)}.${(i >> 8) & 255}.${i & 255}`
  return `{"ts":${time},"uid":"${uid()}","id.orig_h":"${from}","id.orig_p":${1024 + (i % 60000)},"id.resp_h":"198.51.100.10","id.resp_p":${pick([22, 53, 80, 443, 443, 8080])},"proto":"tcp","service":"${pick(['http', 'ssl', 'dns', 'ssh'])}","duration":${(random() * 9).toFixed(6)},"orig_bytes":${Math.floor(random() * 9000)},"resp_bytes":${Math.floor(random() * 90000)},"conn_state":"${pick(['SF', 'S0', 'REJ', 'S1'])}","local_orig":false,"local_resp":true,"missed_bytes":0,"history":"ShADadfF","orig_pkts":${1 + (i % 40)},"orig_ip_bytes":${400 + (i % 9000)},"resp_pkts":${1 + (i % 30)},"resp_ip_bytes":${300 + (i % 90000)}}`
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/**
 * A running Caracal in its own folder. `config` is added to the defaults, `content` is a function that fills a folder. `before` is the folder
 * of one that was stopped with `keep`.
 */
export async function startCaracal(config = {}, content = () => {}, before = undefined) {
  const folder = before ?? mkdtempSync(join(tmpdir(), 'caracal-bench-'))
  const port = await freePort()
  const contentFolder = join(folder, 'content')
  mkdirSync(contentFolder, { recursive: true })
  content(contentFolder)
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify({ listen: `127.0.0.1:${port}`, destinations: [], ...config }))
  const started = performance.now()
  const child = spawn(process.execPath, [join(checkout, 'bin/caracal.js'), 'up', '--no-demo'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/healthz`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`caracal ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const token = readFileSync(join(folder, 'data/token'), 'utf8').trim()
  const headers = { authorization: `Bearer ${token}` }
  const get = async (path) => (await fetch(url + path, { headers })).json()
  return {
    url,
    folder,
    headers,
    pid: child.pid,
    startMs: performance.now() - started,
    get,
    metrics: async () => (await fetch(`${url}/metrics`, { headers })).text(),
    query: async (sql) =>
      (
        await (
          await fetch(`${url}/api/v1/query`, {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ sql }),
          })
        ).json()
      ).rows,
    source: async (id) => (await get('/api/v1/sources')).results.find((source) => source.id === id),
    post: async (source, body) => {
      for (;;) {
        const response = await fetch(`${url}/ingest/${source}`, { method: 'POST', headers, body })
        await response.arrayBuffer()
        if (response.ok) return
        if (response.status !== 429 && response.status !== 503) throw new Error(`ingest answered ${response.status}`)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    },
    stop: async ({ keep = false } = {}) => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const code = await ended
      if (!keep) rmSync(folder, { recursive: true, force: true })
      return code
    },
  }
}

/** The script that a process runs. */
function commandOf(pid) {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .find((part) => part.endsWith('.js'))
  return command?.split('/').at(-1) ?? 'node'
}

/** Resident MiB of a process and its descendants, by command. */
export function memory(pid) {
  return family(pid).map(([p]) => {
    const status = readFileSync(`/proc/${p}/status`, 'utf8')
    return { command: commandOf(p), mib: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024) }
  })
}

/** The same by command; several processes of one command are summed. */
export function cpuByCommand(pid) {
  const sums = {}
  for (const [p, fields] of family(pid)) sums[commandOf(p)] = (sums[commandOf(p)] ?? 0) + secondsOf(fields)
  return sums
}

/** Writes a rule that opens an alert for each connection to port 4444 into a folder. */
export function writeRuleForEach(folder) {
  writeFileSync(
    join(folder, 'each.yml'),
    'AnalysisType: rule\nRuleID: Bench.Each\nFilename: each.py\nEnabled: true\nLogTypes: [Zeek.Conn]\nSeverity: High\n',
  )
  writeFileSync(
    join(folder, 'each.py'),
    'def rule(event):\n    return event.get("id_resp_p") == 4444\n\n\ndef title(event):\n    return event.get("uid")\n',
  )
}
