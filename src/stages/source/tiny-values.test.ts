import { expect, test } from 'vitest'
import { loki } from './loki.ts'
import { otlp } from './otlp.ts'
import { Shipped } from './shipper.fixture.ts'
import { splunkHec } from './splunk-hec.ts'

/** Processor time, microseconds. */
async function cpu(run: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(start)
  return user + system
}

const sources = { otlp, loki, splunkHec }
const settings = { id: 'x', max_body_bytes: 64 * 1024 * 1024 }
const open = (type: keyof typeof sources) =>
  new Shipped((deps) => sources[type].pushes!(sources[type].config.parse(settings) as never, deps))
const OTLP = '/v1/logs'
const LOKI = '/loki/api/v1/push'
const HEC = '/services/collector/event'

const tiny = (value: string) => `[${`${value},`.repeat(1_500_000)}${value}]`
const fields = `{${Array.from({ length: 300_000 }, (_, i) => `"f${i}":1`).join()}}`

test.each<[string, keyof typeof sources, string, string, number, RegExp]>([
  [
    'empty log records',
    'otlp',
    OTLP,
    `{"resourceLogs":[{"scopeLogs":[{"logRecords":${tiny('{}')}}]}]}`,
    413,
    /1000000 JSON objects/,
  ],
  ['empty attributes', 'otlp', OTLP, `{"resourceLogs":[{"resource":{"attributes":${tiny('{}')}}}]}`, 413, /split it/],
  ['empty lines', 'loki', LOKI, `{"streams":[{"stream":{},"values":${tiny('[]')}}]}`, 413, /1000000 JSON objects/],
  ['one event with 300,000 fields', 'splunkHec', HEC, `{"event":"x","fields":${fields}}`, 400, /indexed fields/],
  ['300,000 fields before the event', 'splunkHec', HEC, `{"fields":${fields},"event":"x"}`, 400, /indexed fields/],
])(
  '%s of a few megabytes are refused for less than half of what parsing them takes (%s)',
  async (_, type, path, body, status, why) => {
    const source = open(type)
    const sent = Buffer.from(body)
    // What both do only once is not part of it.
    await source.send(path, { body: '{}' })
    const parsing = await cpu(() => JSON.parse(sent.toString()))
    let answer: Awaited<ReturnType<Shipped['send']>> | undefined
    const refusing = await cpu(async () => {
      answer = await source.send(path, { body: sent })
    })
    expect(answer?.status).toBe(status)
    expect(JSON.stringify(answer?.body)).toMatch(why)
    expect(source.bodies).toEqual([])
    expect(refusing).toBeLessThan(parsing / 2)
  },
  60_000,
)

test('a body as large as is accepted by default may consist of short attributes', async () => {
  const source = open('otlp')
  const pairs = Array.from({ length: 380_000 }, () => '{"key":"a","value":{"stringValue":"b"}}').join()
  const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[${pairs}]}]}]}]}`
  expect(body.length).toBeGreaterThan(14 * 1024 * 1024)
  expect((await source.send(OTLP, { body })).status).toBe(200)
}, 60_000)
