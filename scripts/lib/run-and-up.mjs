// Compares what `caracal run` and `caracal up` make of the same files: events, matches and dead letters.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.mjs'

/** Members that say who read a record and when, or that come with the alert. */
const ELSEWHERE = new Set(
  'p_row_id p_parse_time p_source_id p_source_label p_source_file p_generation p_header position source extra'.split(' '),
)
/** The id that the source of `caracal run` has, which some messages name. */
const SOURCE = 'run'
/** Rows of the lake that are read at once. */
const PAGE = 5000
const DEADLINE_MS = 30 * 60_000

/**
 * Runs both over the files, in folders of their own below `folder`.
 *
 * @param {readonly string[]} files
 * @param {{ folder: string, program: string, content?: readonly string[], workers?: number }} options
 * @returns {Promise<{ events: number, matches: number, deadLetters: number, differences: string[] }>}
 */
export async function compareRunAndUp(files, { folder, program, content = [], workers }) {
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
  const run = await runAll(files, { folder: join(folder, 'run'), program, content, env })
  const up = await upAll(files, { folder: join(folder, 'up'), program, content, workers, env, received: run.received })
  const differences = [...up.problems]
  for (const kind of ['events', 'matches', 'deadLetters']) differences.push(...differencesOf(kind, run[kind], up[kind]))
  return { events: size(run.events), matches: size(run.matches), deadLetters: size(run.deadLetters), differences }
}

/** What `caracal run` prints. */
async function runAll(files, { folder, program, content, env }) {
  mkdirSync(folder, { recursive: true })
  const config = join(folder, 'caracal.yml')
  writeFileSync(config, JSON.stringify({ data_dir: join(folder, 'data'), content }))
  const reported = {}
  for (const [kind, emit] of Object.entries({ events: 'events', matches: 'matches', deadLetters: 'dead-letters' })) {
    const child = spawn(process.execPath, [program, 'run', ...files, '--config', config, '--emit', emit], { cwd: folder, env })
    let messages = ''
    child.stderr.on('data', (text) => {
      messages += text
    })
    const ended = new Promise((resolve) => child.once('close', resolve))
    reported[kind] = new Map()
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const item = JSON.parse(line)
      count(reported[kind], kind === 'events' ? eventText(item) : kind === 'matches' ? matchText(item) : letterText(item))
    }
    const code = await ended
    reported.received = Number(/^received (\d+)/m.exec(messages)?.[1] ?? Number.NaN)
    if (code === 2 || Number.isNaN(reported.received)) throw new Error(`caracal run ended with ${code}: ${messages}`)
  }
  return reported
}

/** What `caracal up` keeps in its lake. */
async function upAll(files, { folder, program, content, workers, env, received }) {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const dataDir = join(folder, 'data')
  const paths = files.map((path) => path.replace(/[\\*?[\]{}()!+@|$]/g, '\\$&'))
  const sources = [{ type: 'file', id: SOURCE, paths, poll_ms: 200, idle_ms: 200 }]
  writeFileSync(
    join(folder, 'caracal.yml'),
    JSON.stringify({ listen: `127.0.0.1:${port}`, data_dir: dataDir, content, sources, workers, query_max_rows: PAGE }),
  )
  const child = spawn(process.execPath, [program, 'up', '--no-demo'], { cwd: folder, env })
  let messages = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      messages = (messages + text).slice(-20_000)
    })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const ask = async (path, body) => {
    const headers = {
      authorization: `Bearer ${readFileSync(join(dataDir, 'token'), 'utf8').trim()}`,
      'content-type': 'application/json',
    }
    const response = await fetch(
      `http://127.0.0.1:${port}${path}`,
      body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers },
    )
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  try {
    const problems = await settled(child, ask, received, () => messages)
    return { problems, ...(await kept(ask)) }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

/** Resolves when as many records are in as `run` has read, or none has come for a while; with a sentence if it is another number. */
async function settled(child, ask, wanted, messages) {
  const end = Date.now() + DEADLINE_MS
  let [last, since] = [-1, Date.now()]
  while (Date.now() < end && child.exitCode === null) {
    const records = await ask('/api/v1/sources').then(
      ({ results }) => results.find(({ id }) => id === SOURCE).records,
      () => undefined,
    )
    if (records && records.received !== last) [last, since] = [records.received, Date.now()]
    // Beyond the wanted number nothing may come: look a little longer.
    if (records && Date.now() - since > (records.received === wanted ? 2000 : 120_000)) {
      return records.received === wanted ? [] : [`up has received ${records.received} records, run ${wanted}`]
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  throw new Error(`caracal up did not get through (exit code ${child.exitCode}): ${messages()}`)
}

async function kept(ask) {
  const [events, matches, deadLetters] = [new Map(), new Map(), new Map()]
  const logTypes = (await ask('/api/v1/query', { sql: 'SELECT DISTINCT p_log_type FROM logs.all' })).rows
  for (const [logType] of logTypes) {
    for await (const row of rowsOf(ask, `logs.${logType.replaceAll('.', '_').toLowerCase()}`))
      count(events, eventText(fromLake(row)))
  }
  for await (const row of rowsOf(ask, 'signals.correlation_signals')) count(matches, matchText(matchFrom(row)))
  for await (const row of rowsOf(ask, 'monitor.dead_letters')) {
    const { raw, raw_encoding, ...letter } = row
    count(deadLetters, letterText({ ...letter, raw, ...(raw_encoding === 'base64' && { raw_encoding }) }))
  }
  return { events, matches, deadLetters }
}

/** All rows of a table as objects, in pages: row ids are unique but for signals, of which a row has one for each rule. */
async function* rowsOf(ask, table) {
  const key = table.startsWith('signals.') ? "concat(p_row_id, ' ', p_rule_id)" : 'p_row_id'
  let after = ''
  for (;;) {
    const sql = `SELECT ${key} AS page_key, * FROM ${table} WHERE ${key} > '${after}' ORDER BY page_key LIMIT ${PAGE}`
    const { columns, rows } = await ask('/api/v1/query', { sql }).catch(noneBefore)
    for (const row of rows) {
      after = row[0]
      yield Object.fromEntries(columns.slice(1).map(({ name, type }, i) => [name, eventValue(row[i + 1], type)]))
    }
    if (rows.length < PAGE) return
  }
}

/** A table is made with its first rows. */
function noneBefore(error) {
  if (!error.message.includes('UNKNOWN_TABLE')) throw error
  return { columns: [], rows: [] }
}

/** A value of the lake, in the form that events have it. */
const eventValue = (value, type) => (value !== null && type.includes('DateTime64') ? timeText(value) : value)

/** A row of an event's table: unknown fields are members again. */
function fromLake({ extra, ...row }) {
  return { ...row, ...(extra === null || extra === undefined ? {} : JSON.parse(extra)) }
}

function matchFrom({ p_rule_id, p_log_type, p_event_time, p_alert_title, p_alert_severity, p_alert_context, event }) {
  return {
    rule_id: p_rule_id,
    log_type: p_log_type,
    p_event_time,
    title: p_alert_title,
    severity: p_alert_severity,
    alert_context: p_alert_context === null ? {} : JSON.parse(p_alert_context),
    event: event === null ? null : JSON.parse(event),
  }
}

/**
 * The event as one text: members by name; what is null, empty or says who read it is left out; nested values as the lake has them. The time of
 * an event without one is when it was read.
 */
function eventText(event) {
  const isTimeless = event.p_event_time && timeText(event.p_event_time) === timeText(event.p_parse_time ?? '')
  const members = Object.entries(event).flatMap(([name, value]) => {
    if (
      ELSEWHERE.has(name) ||
      (isTimeless && name === 'p_event_time') ||
      value === null ||
      value === undefined ||
      (Array.isArray(value) && value.length === 0)
    )
      return []
    if (typeof value === 'object' && !name.startsWith('p_any_')) return [[name, JSON.stringify(value)]]
    if (typeof value === 'string' && /^[[{]/.test(value)) return value === '[]' ? [] : [[name, sameJson(value)]]
    return [[name, typeof value === 'string' ? timeText(value) : value]]
  })
  return JSON.stringify(members.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** `dedup` is not kept by match: it shows in the alerts. */
function matchText({ rule_id, log_type, p_event_time, title, severity, alert_context, event }) {
  const about = event && eventText(event)
  const when = p_event_time && timeText(p_event_time)
  return JSON.stringify([rule_id, log_type, when, title, severity, alert_context, about])
}

const letterText = ({ reason, message, length, sha256, raw, raw_encoding }) =>
  JSON.stringify([reason, message, Number(length), sha256, raw, raw_encoding ?? 'utf8'])

/** JSON written once more, so that the same value is the same text. */
function sameJson(text) {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

/** A time with nine digits, if it is one. */
function timeText(value) {
  const [, seconds, digits = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(value) ?? []
  return seconds === undefined ? value : `${seconds}.${digits.padEnd(9, '0')}Z`
}

const count = (counts, text) => counts.set(text, (counts.get(text) ?? 0) + 1)
const size = (counts) => [...counts.values()].reduce((sum, n) => sum + n, 0)

/** Sentences on what only one of them has, at most ten of a kind. */
function differencesOf(kind, run, up) {
  const found = []
  for (const text of new Set([...run.keys(), ...up.keys()])) {
    const [inRun, inUp] = [run.get(text) ?? 0, up.get(text) ?? 0]
    if (inRun !== inUp) found.push(`${kind}: ${inRun} times in run, ${inUp} times in up: ${text.slice(0, 2000)}`)
  }
  return found.length > 10 ? [...found.slice(0, 10), `${kind}: ${found.length - 10} further differences`] : found
}
