import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { npmPackages } from './support/installed.ts'
import { Shipping } from './support/shipping.ts'

const peer = npmPackages(['pino-loki@2.6.0', 'pino@9.7.0'])

describe.skipIf(peer.why)(`pino-loki${peer.why ? ` (${peer.why})` : ''}`, () => {
  let shipping: Shipping
  beforeAll(async () => {
    shipping = await Shipping.start('loki')
  })
  afterAll(() => shipping.stop())

  test('its lines arrive with their labels', async () => {
    await shipping.client(
      peer.path!,
      `const pino = require('pino')
      const transport = pino.transport({
        target: 'pino-loki',
        options: {
          host: process.env.URL,
          basicAuth: { username: 'caracal', password: process.env.TOKEN },
          labels: { application: 'shop' },
          batching: true,
          interval: 1,
        },
      })
      const logger = pino(transport)
      for (let n = 0; n < 20; n++) logger.info({ n, text: 'line ' + n }, 'logged')
      transport.end()`,
    )
    const rows = await shipping.events('n, text, extra', 20)
    expect(rows.map(([n, text]) => [Number(n), text])).toEqual(Array.from({ length: 20 }, (_, n) => [n, `line ${n}`]))
    expect(JSON.parse(rows[0]![2] as string)).toMatchObject({ application: 'shop', msg: 'logged' })
  })
})
