import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Engine, SourceView } from '../engine/engine.ts'
import type { StoredAlert } from '../model/alert.ts'
import { self, selfCall } from './self.ts'
import { count, counted, span } from './style.ts'

/** Label of the bundled sample's events. */
const DEMO = 'demo'

/** Maximum number of the sample's alerts to read, more than it can raise. */
async function demoAlerts({ read }: Engine): Promise<readonly StoredAlert[]> {
  const { alerts } = await read.alerts({}, { limit: 200 })
  return alerts.filter(({ body }) => body.sourceLabels.includes(DEMO))
}

/** Ids of the destinations that print alerts for people where this process writes. */
function printers({ destinations }: Config): string[] {
  return destinations.filter((to) => to.type === 'stdout' && to.format === 'text').map(({ id }) => id)
}

/** How long to wait for deliveries to the terminal. */
const PRINT_WAIT_MS = 5000
const PRINT_LOOK_MS = 25

/** Resolves once the sample's alerts have been printed, so that the summary comes below them. */
async function printed(engine: Engine, alerts: readonly StoredAlert[]): Promise<void> {
  const ids = alerts.map(({ alertId }) => alertId)
  const to = printers(engine.config)
  if (ids.length === 0 || to.length === 0) return
  for (let waited = 0; waited < PRINT_WAIT_MS; waited += PRINT_LOOK_MS) {
    if (!(await engine.read.isPending(ids, to))) return
    await new Promise((resolve) => setTimeout(resolve, PRINT_LOOK_MS))
  }
}

/**
 * Waits for the bundled sample and prints its results: counts, times, and what to do next. The alerts themselves are printed by
 * the stdout destination, or here if there is none.
 */
export async function demoSummary(engine: Engine, url: string, alertLine: (row: StoredAlert) => string): Promise<string> {
  await engine.settled(DEMO)
  const alerts = await demoAlerts(engine)
  await printed(engine, alerts)
  const source = (await engine.sources()).find(({ id }) => id === DEMO)
  const lines = printers(engine.config).length > 0 ? [] : alerts.toReversed().map(alertLine)
  return [...lines, '', ...(source ? figures(source, alerts) : []), '', ...nextSteps(engine.config, url, alerts[0]), ''].join(
    '\n',
  )
}

function figures(source: SourceView, alerts: readonly StoredAlert[]): string[] {
  const reasons = Object.entries(source.deadLetterReasons).map(([reason, n]) => `${reason} ${count(n)}`)
  const dead = source.deadLettered > 0 ? `, ${counted(source.deadLettered, 'dead letter')} (${reasons.join(', ')})` : ''
  const filtered = source.filtered > 0 ? `, ${count(source.filtered)} filtered` : ''
  const lines = [
    `Demo       ${counted(source.received, 'record')} of the bundled sample (source ${DEMO}): ${count(source.stored)} stored${filtered}${dead}`,
    `           ${counted(
      alerts.reduce((n, { eventCount }) => n + eventCount, 0),
      'matched event',
    )} in ${counted(alerts.length, 'alert')}`,
  ]
  const times = alerts.flatMap(({ body }) => body.latencyMs ?? []).sort((a, b) => a - b)
  if (times.length > 0) {
    const most = times.length > 1 ? `, at most ${span(times.at(-1)!)}` : ''
    lines.push(`           from record to alert in ${span(times[Math.floor((times.length - 1) / 2)]!)}${most}`)
  }
  return lines
}

function nextSteps({ data_dir }: Config, url: string, alert: StoredAlert | undefined): string[] {
  const folder = data_dir.startsWith(`${process.cwd()}/`) ? data_dir.slice(process.cwd().length + 1) : data_dir
  return [
    'What next',
    `  Look around in the browser: ${url}`,
    `    ${selfCall('users first-link')}    prints a link by which you create the first account`,
    '  Send your own logs (JSON lines, JSON arrays or plain lines):',
    `    curl -H "Authorization: Bearer $(cat ${folder}/token)" --data-binary @your.log ${url}/ingest/default`,
    '  or follow files as they grow: put this into caracal.yml and restart:',
    '    sources:',
    '      - type: file',
    '        id: zeek',
    '        paths: [/opt/zeek/logs/current/*.log]',
    '  See why an alert was raised, and query the lake:',
    `    ${selfCall(`alerts show ${alert ? alert.alertId.slice(0, 8) : '<id>'}`)}`,
    `    ${selfCall('query "SELECT p_log_type, count() FROM logs.all GROUP BY p_log_type"')}`,
    existsSync(join('content', 'rules'))
      ? '  Write a rule: add one to content/rules or change one there; it takes effect once it is saved. Test it:'
      : '  Write a rule: copy one of packs/tor/rules into ./content and change it; it takes effect once it is saved. Test it:',
    `    ${self()} test --path content`,
    '  Remove the demo and everything derived from it:',
    `    ${selfCall('demo --remove')}`,
  ]
}
