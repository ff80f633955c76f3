// What a flood costs: 1,000,000 matches of one rule with as many dedup strings, and of one with as many values of `unique`, in batches
// of 5,000 through the alert step and a real state, during a slow brute force that another rule detects. Build first: `node bench/floods.mjs`.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MAX_WINDOWS_PER_RULE } from '../dist/model/limit.js'
import { NO_ALERTS } from '../dist/pipeline/effects.js'
import { groupFindings } from '../dist/stages/alert/step.js'
import { openState } from '../dist/state/db.js'
import { limitCounts } from '../dist/state/limits.js'
import { pipelineState } from '../dist/state/pipeline-state.js'

const MATCHES = Number(process.argv[2] ?? 1_000_000)
const BATCH = 5000
const MINUTE = 60_000
const rules = new Map(
  [
    { id: 'Flood.Dedup', dedupPeriodMinutes: 60, threshold: 1 },
    { id: 'Flood.Unique', dedupPeriodMinutes: 60, threshold: 10_000_000 },
    { id: 'Slow', dedupPeriodMinutes: 24 * 60, threshold: 5 },
  ].map((rule) => [rule.id, rule]),
)
const text = JSON.stringify({ user: 'someone', pad: 'all work and no play '.repeat(25) })

function match(ruleId, dedup, minute, unique) {
  const texts = { title: `Login of ${dedup}`, dedup, description: '', reference: '', runbook: '' }
  const finding = { kind: 'match', ruleId, event: 0, severity: 'LOW', ...texts, functionErrors: {}, ...(unique && { unique }) }
  const time = new Date(minute * MINUTE).toISOString()
  const event = { p_log_type: 'T', p_row_id: 'r', p_event_time: time, p_parse_time: time, p_source_label: 's' }
  return { finding, event, text: () => text }
}

const folder = mkdtempSync(join(tmpdir(), 'caracal-floods-'))
const db = await openState(folder)
const state = pipelineState(db)
const findings = { matches: new Map(), errors: new Map() }
let slowest = 0
let highest = 0
const begun = process.cpuUsage()
for (let from = 0, minute = 0; from < MATCHES; from += BATCH, minute = Math.floor((from / MATCHES) * 50)) {
  const items = Array.from({ length: Math.min(BATCH, MATCHES - from) }, (_, i) => [
    match('Flood.Dedup', `user${from + i}`, minute),
    match('Flood.Unique', 'all', minute, `address ${from + i}`),
  ]).flat()
  // The slow brute force: five logins of root, spread over everything.
  if ((from / BATCH) % Math.ceil(MATCHES / BATCH / 5) === 0) items.push(match('Slow', 'root', minute))
  const before = process.cpuUsage()
  const grouping = groupFindings(items, rules, { atMs: ({ event }) => Date.parse(event.p_parse_time), nowMs: minute * MINUTE })
  await state.commit({
    ...grouping,
    decide(known) {
      const { windows, opened, limits } = grouping.decide(known)
      return { ...NO_ALERTS, rows: [], windows, opened, limits, findings, nowMs: minute * MINUTE }
    },
  })
  const { user, system } = process.cpuUsage(before)
  slowest = Math.max(slowest, (user + system) / 1000)
  highest = Math.max(highest, process.memoryUsage.rss())
  // Statements free their memory between two turns of the event loop, as they do when batches arrive from outside.
  await setImmediate()
}
const { user, system } = process.cpuUsage(begun)
const windows = await db.selectFrom('alerts').select(['rule_id', 'opened', 'event_count']).execute()
const of = (id) => windows.filter(({ rule_id }) => rule_id === id)
const counted = of('Flood.Dedup').reduce((sum, { event_count }) => sum + event_count, 0)
console.log(
  `limit ${MAX_WINDOWS_PER_RULE} windows a rule; ${MATCHES} matches with a dedup string each, as many with a value of unique each`,
)
console.log(`windows: Flood.Dedup ${of('Flood.Dedup').length} (${counted} matches), Flood.Unique ${of('Flood.Unique').length}`)
console.log(`slow brute force alerted: ${of('Slow').some(({ opened }) => opened === 1)}`)
for (const { ruleId, what, n } of await limitCounts(db)) console.log(`limit reached: ${ruleId} ${what} ${n}`)
console.log(`CPU ${((user + system) / MATCHES / 2).toFixed(2)} us a match, slowest batch ${Math.round(slowest)} ms of CPU`)
console.log(
  `memory at most ${Math.round(highest / 1048576)} MiB, state ${Math.round(statSync(join(folder, 'state.db')).size / 1048576)} MiB`,
)
await db.destroy()
rmSync(folder, { recursive: true })
