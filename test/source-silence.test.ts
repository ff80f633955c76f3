import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caracal, freePort } from './support/caracal.ts'
import { FlakyReceiver } from './support/receiver.ts'
import { SteppedClock } from './support/stepped-clock.ts'
import { until } from './support/until.ts'

/** The whole program with a clock that the tests step, and the webhook that it reports silent sources to. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-silence-'))
const clock = new SteppedClock(folder)
const receiver = new FlakyReceiver(() => 1)
let caracal: Caracal

/** Sources reported as silent once the program's clock is that many minutes ahead. */
async function silentAt(minutes: number): Promise<string[]> {
  await clock.stepTo(minutes)
  const { system_problems: problems } = (await (await caracal.fetch('/api/v1/health')).json()) as {
    system_problems: { what: string; key: string }[]
  }
  return problems.filter(({ what }) => what === 'SourceSilent').map(({ key }) => key)
}

const alerts = () =>
  [...receiver.bodies.values()].filter(({ id }) => id === 'Caracal.SourceSilent').map(({ title }) => String(title))

async function send(): Promise<void> {
  const body = '{"host":"web1","ident":"sshd","message":"session opened"}\n'
  expect((await caracal.fetch('/ingest/web', { method: 'POST', body })).status).toBe(202)
}

beforeAll(async () => {
  const port = await freePort()
  const config = {
    listen: `127.0.0.1:${port}`,
    data_dir: join(folder, 'data'),
    sources: [
      { type: 'http', id: 'web', log_types: ['Custom.Auth'], drop_off_minutes: 60 },
      { type: 'http', id: 'mute', log_types: ['Custom.Auth'], drop_off_minutes: 300 },
    ],
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

describe('a source that goes silent reaches the webhook', { shuffle: false }, () => {
  test('once drop_off_minutes are over, counted over a restart', async () => {
    await send()
    await until(async () => ((await sources()).find(({ id }) => id === 'web')?.last_received_time ? true : undefined))
    expect(await silentAt(30)).toEqual([])
    expect(await caracal.end('SIGTERM')).toBe(0)
    await caracal.start()
    expect(await silentAt(59)).toEqual([])
    expect(await silentAt(61)).toEqual(['web'])
    expect(await until(() => alerts()[0])).toMatch(
      /^Source web has not sent a record since \d{4}-.*Z, longer than its drop_off_minutes \(60\)$/,
    )
    const [web] = (await sources()).filter(({ id }) => id === 'web')
    expect(web!.problems).toEqual([alerts()[0]])
  })

  test('and is over when it sends again; a restart repeats nothing', async () => {
    expect(await caracal.end('SIGTERM')).toBe(0)
    await caracal.start()
    expect(await silentAt(70)).toEqual(['web'])
    await send()
    await until(async () => ((await silentAt(71)).length === 0 ? true : undefined))
    expect(alerts()).toHaveLength(1)
  })

  test('a later silence on the same day is another alert', async () => {
    expect(await silentAt(129)).toEqual([])
    expect(await silentAt(133)).toEqual(['web'])
    expect(await until(() => alerts()[1])).not.toBe(alerts()[0])
  })

  test('so does one that has never sent anything', async () => {
    expect(await silentAt(299)).toEqual(['web'])
    expect(await silentAt(302)).toEqual(['web', 'mute'])
    expect(await until(() => alerts()[2])).toMatch(/^Source mute has not sent any record since it was configured at /)
    expect(alerts()).toHaveLength(3)
  })
})

async function sources(): Promise<{ id: string; last_received_time: string | null; problems: string[] }[]> {
  const answer = (await (await caracal.fetch('/api/v1/sources')).json()) as { results: never[] }
  return answer.results
}
