import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { npmPackages } from './support/installed.ts'
import { Shipping } from './support/shipping.ts'

const peer = npmPackages(['@elastic/elasticsearch@8.17.1'])

describe.skipIf(peer.why)(`Elasticsearch's own client${peer.why ? ` (${peer.why})` : ''}`, () => {
  let shipping: Shipping
  beforeAll(async () => {
    shipping = await Shipping.start('elasticsearch')
  })
  afterAll(() => shipping.stop())

  test('its bulk helper accepts this as Elasticsearch, and all documents arrive', async () => {
    const printed = await shipping.client(
      peer.path!,
      `const { Client } = require('@elastic/elasticsearch')
      const client = new Client({ node: process.env.URL, auth: { username: 'caracal', password: process.env.TOKEN } })
      async function main() {
        const { version } = await client.info()
        const datasource = Array.from({ length: 500 }, (_, n) => ({ n, text: 'é'.repeat(n % 50) }))
        const result = await client.helpers.bulk({ datasource, flushBytes: 4000, onDocument: () => ({ create: { _index: 'logs-app' } }) })
        console.log(JSON.stringify({ version: version.number, ...result }))
      }
      main()`,
    )
    expect(JSON.parse(printed)).toMatchObject({ version: '9.0.0', total: 500, successful: 500, failed: 0, retry: 0 })
    const rows = await shipping.events('n, length(text), extra', 500)
    expect(rows.map(([n]) => Number(n))).toEqual(Array.from({ length: 500 }, (_, n) => n))
    expect(rows[7]![2]).toContain('logs-app')
  })
})
