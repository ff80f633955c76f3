import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { SteppedClock } from './support/stepped-clock.ts'
import { until } from './support/until.ts'

/** Nine days of a source in the whole program with a clock that the tests step: at the end it changes how much it sends, and what. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-drift-'))
const content = join(folder, 'content')
const receiver = new FlakyReceiver(() => 1)
let caracal: Caracal

const DAY_MINUTES = 24 * 60
/** So that the program's clock shows half past when it is stepped to a whole number of days. */
const clock = new SteppedClock(folder, (90 - new Date().getMinutes()) % 60)

const SCHEMA = `schema: Custom.Door
fields:
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true, required: true }
  - { name: result, type: string }
  - { name: outcome, type: string }
`
const RULE = `AnalysisType: rule
RuleID: Door.Forced
Enabled: true
LogTypes: [Custom.Door]
Severity: High
Detection:
  - { Key: result, Condition: Equals, Value: forced }
`

/** Sends that many events with this field, and resolves when they are in the lake. */
async function send(count: number, field: string): Promise<void> {
  const rows = async () => Number((await caracal.query('SELECT count() FROM logs.all'))[0]![0])
  const before = await rows()
  const body = `{"at":"2026-01-01T00:00:00Z","${field}":"open"}\n`.repeat(count)
  expect((await caracal.fetch('/ingest/doors', { method: 'POST', body })).status).toBe(202)
  await until(async () => ((await rows()) === before + count ? true : undefined))
}

async function problems(): Promise<string[]> {
  const answer = (await (await caracal.fetch('/api/v1/health')).json()) as { system_problems: { what: string }[] }
  return answer.system_problems.map(({ what }) => what).filter((what) => what === 'RuleBlind' || what === 'SourceVolume')
}

const alert = (id: string) => until(() => [...receiver.bodies.values()].find((body) => body['id'] === id))

beforeAll(async () => {
  mkdirSync(content)
  writeFileSync(join(content, 'door.yml'), SCHEMA)
  writeFileSync(join(content, 'forced.yml'), RULE)
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    sources: [{ type: 'http', id: 'doors', log_types: ['Custom.Door'] }],
    destinations: [{ type: 'webhook', id: 'soc', url: `http://127.0.0.1:${await receiver.listen()}/` }],
  }
  writeFileSync(join(folder, 'caracal.yml'), JSON.stringify(config))
  caracal = new Caracal({ port, dataDir: join(folder, 'data'), cwd: folder, args: ['--no-demo'], nodeArgs: clock.nodeArgs })
  await caracal.start()
})
afterAll(async () => {
  await caracal.end('SIGKILL')
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a source that changes', { shuffle: false }, () => {
  test('is as usual for eight days', async () => {
    for (let day = 0; day < 8; day++) {
      if (day > 0) await clock.stepTo(day * DAY_MINUTES)
      await send(30, 'result')
    }
    await clock.stepTo(7 * DAY_MINUTES + 61)
    expect(await problems()).toEqual([])
  })

  test('sends far more than usual: the webhook receives it, with what was usual', async () => {
    await clock.stepTo(8 * DAY_MINUTES)
    await send(1500, 'outcome')
    await clock.stepTo(8 * DAY_MINUTES + 61)
    expect(await alert('Caracal.SourceVolume')).toMatchObject({
      severity: 'LOW',
      title: expect.stringMatching(
        /^Source doors sent 1500 records in the hour from .*:00Z, far more than usual: around that hour on the previous 7 days it was between 0 and 30 an hour$/,
      ),
    })
    await clock.stepTo(8 * DAY_MINUTES + 121)
    expect(await problems()).not.toContain('SourceVolume')
  })

  test('no longer sends a field that a rule reads: the webhook receives the rule', async () => {
    await clock.stepTo(8 * DAY_MINUTES + 7 * 60)
    expect(await alert('Caracal.RuleBlind')).toMatchObject({
      severity: 'MEDIUM',
      title:
        'None of the 1500 events of Custom.Door in the last 24 hours has result, which events had on each of the 7 days before. Rules that read it: Door.Forced',
      alertContext: { covers: ['Door.Forced'] },
    })
  })

  test('is no longer a problem once the rule reads the new field', async () => {
    writeFileSync(join(content, 'forced.yml'), RULE.replace('Key: result', 'Key: outcome'))
    await until(async () => ((await problems()).length === 0 ? true : undefined))
    expect(
      [...receiver.bodies.values()]
        .map(({ id }) => id)
        .filter((id) => id !== 'Caracal.ClockJumped')
        .sort(),
    ).toEqual(['Caracal.RuleBlind', 'Caracal.SourceVolume'])
  })
})
