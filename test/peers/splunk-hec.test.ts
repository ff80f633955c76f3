import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { npmPackages } from './support/installed.ts'
import { Shipping } from './support/shipping.ts'

const peer = npmPackages(['splunk-logging@0.11.1'])

describe.skipIf(peer.why)(`Splunk's logging library${peer.why ? ` (${peer.why})` : ''}`, () => {
  let shipping: Shipping
  beforeAll(async () => {
    shipping = await Shipping.start('splunk_hec')
  })
  afterAll(() => shipping.stop())

  test('its batches arrive with their metadata', async () => {
    const printed = await shipping.client(
      peer.path!,
      `const { Logger } = require('splunk-logging')
      const logger = new Logger({ token: process.env.TOKEN, url: process.env.URL, maxBatchCount: 5 })
      logger.error = (error) => { console.error(error); process.exitCode = 1 }
      // The library's usual envelope adds the severity to the message.
      logger.eventFormatter = (message) => message
      for (let n = 0; n < 10; n++) logger.send({
        message: { n, text: 'event ' + n },
        metadata: { time: 1700000000.5, host: 'web1', sourcetype: 'app', source: 'shop' },
      }, (error, response, body) => { if (body) console.log(JSON.stringify(body)) })`,
    )
    expect(printed).toContain('"text":"Success","code":0')
    const rows = await shipping.events('n, text, toString(p_event_time), extra', 10)
    expect(rows.map(([n, text]) => [Number(n), text])).toEqual(Array.from({ length: 10 }, (_, n) => [n, `event ${n}`]))
    expect(rows[0]![2]).toMatch(/^2023-11-14.22:13:20\.5/)
    expect(JSON.parse(rows[0]![3] as string)).toMatchObject({ host: 'web1', sourcetype: 'app', source: 'shop' })
  })
})
