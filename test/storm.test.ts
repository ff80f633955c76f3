import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { seeded } from './support/random.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { until } from './support/until.ts'

/** A rule that suddenly matches everything: 50,000 matches over 5,000 dedup strings, as fast as they are taken, and a kill in between. */
const KEYS = 5000
const ROUNDS = 10
const PER_POST = 1000

const SCHEMA =
  'schema: Custom.Storm\nfields:\n  - { name: key, type: bigint, required: true }\n  - { name: round, type: bigint, required: true }\n'
const RULE =
  'AnalysisType: rule\nRuleID: Storm.Each\nFilename: each.py\nEnabled: true\nLogTypes: [Custom.Storm]\nSeverity: High\n'
const CODE =
  'def rule(event):\n    return True\n\n\ndef title(event):\n    return f"key {event.get(\'key\')}"\n\n\ndef dedup(event):\n    return str(event.get("key"))\n'

const folder = mkdtempSync(join(tmpdir(), 'caracal-storm-'))
const random = seeded(29)
/** Accepts everything, so that each message counts. */
const channel = new FlakyReceiver(() => 1)
/** Fails about half of the attempts. */
const machine = new FlakyReceiver(random)
let caracal: Caracal

beforeAll(async () => {
  mkdirSync(join(folder, 'content'))
  writeFileSync(join(folder, 'content/storm.yml'), SCHEMA)
  writeFileSync(join(folder, 'content/each.yml'), RULE)
  writeFileSync(join(folder, 'content/each.py'), CODE)
  const port = await freePort()
  const url = async (receiver: FlakyReceiver) => `http://127.0.0.1:${await receiver.listen()}/`
  const config = {
    listen: `127.0.0.1:${port}`,
    sources: [{ type: 'http', id: 'storm', log_types: ['Custom.Storm'] }],
    destinations: [
      { type: 'webhook', id: 'channel', url: await url(channel), max_per_minute: 30 },
      { type: 'webhook', id: 'machine', url: await url(machine) },
    ],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'] })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  await Promise.all([channel.close(), machine.close()])
  rmSync(folder, { recursive: true, force: true })
})

/** All events in random order, in posts that are repeated until they are taken. */
async function rage(): Promise<void> {
  const events = Array.from({ length: KEYS * ROUNDS }, (_, i) => ({ key: i % KEYS, round: Math.floor(i / KEYS), at: random() }))
  events.sort((a, b) => a.at - b.at)
  for (let from = 0; from < events.length; from += PER_POST) {
    const lines = events.slice(from, from + PER_POST).map(({ key, round }) => `{"key":${key},"round":${round}}\n`)
    await until(async () => (await caracal.fetch('/ingest/storm', { method: 'POST', body: lines.join('') })).status === 202)
    if (from === 20 * PER_POST) {
      await caracal.end('SIGKILL')
      await caracal.start()
    }
  }
}

interface Alert {
  readonly alert_id: string
  readonly event_count: number
  readonly title: string
}

async function allAlerts(): Promise<Alert[]> {
  const found: Alert[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const answer = await caracal.fetch(`/api/v1/alerts?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    const page = (await answer.json()) as { results: Alert[]; next: string | null }
    found.push(...page.results)
    cursor = page.next
  }
  return found
}

const digested = (body: Record<string, unknown>) => (body['alertContext'] as { alerts?: string[] }).alerts
/** Which of these alerts a receiver got, as often as it did; there may also be alerts about Caracal itself. */
const carriedBy = ({ bodies }: FlakyReceiver, ids: ReadonlySet<string>) =>
  [...bodies.values()].flatMap((body) => digested(body) ?? [body['alertId'] as string]).filter((id) => ids.has(id))

test('a storm of matches is counted exactly, and a destination with a limit gets all of its alerts in few messages', {
  timeout: 900_000,
}, async () => {
  await rage()
  const wait = { timeout: 400_000, interval: 500 }
  await expect.poll(() => caracal.query('SELECT count() FROM logs.custom_storm'), wait).toEqual([[KEYS * ROUNDS]])
  await expect.poll(async () => (await allAlerts()).filter(({ event_count }) => event_count === ROUNDS).length, wait).toBe(KEYS)
  const alerts = (await allAlerts()).filter(({ event_count }) => event_count === ROUNDS)
  const ids = new Set(alerts.map(({ alert_id }) => alert_id))
  expect(new Set(alerts.map(({ title }) => title)).size).toBe(KEYS)
  expect(ids.size).toBe(KEYS)

  await expect.poll(() => carriedBy(machine, ids).length, wait).toBe(KEYS)
  expect(new Set(carriedBy(machine, ids))).toEqual(ids)
  expect(machine.changed).toBe(0)

  await expect.poll(() => new Set(carriedBy(channel, ids)).size, wait).toBe(KEYS)
  const messages = [...channel.bodies.values()]
  expect(messages.filter(digested).length).toBeGreaterThan(0)
  // A kill may repeat what was sent right before it, with the same ids.
  expect(carriedBy(channel, ids).length - KEYS).toBeLessThanOrEqual(30)
  expect(messages.length).toBeLessThan(KEYS / 10)

  const dead = (await (await caracal.fetch('/api/v1/deliveries?state=dead')).json()) as { results: object[] }
  expect(dead.results).toEqual([])
  expect(await caracal.end('SIGTERM')).toBe(0)
})
