import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { npmPackages } from './support/installed.ts'
import { Shipping } from './support/shipping.ts'

const names = ['api-logs', 'sdk-logs', 'exporter-logs-otlp-http', 'exporter-logs-otlp-proto']
const peer = npmPackages([...names.map((name) => `@opentelemetry/${name}@0.203.0`), '@opentelemetry/resources@2.0.1'])

describe.skipIf(peer.why)(`OpenTelemetry's exporters${peer.why ? ` (${peer.why})` : ''}`, () => {
  let shipping: Shipping
  beforeAll(async () => {
    shipping = await Shipping.start('otlp')
  })
  afterAll(() => shipping.stop())

  test('records in JSON and in protocol buffers arrive with their attributes', async () => {
    await shipping.client(
      peer.path!,
      `const { LoggerProvider, BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs')
      const { resourceFromAttributes } = require('@opentelemetry/resources')
      async function main() {
        for (const [i, kind] of ['http', 'proto'].entries()) {
          const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-' + kind)
          const exporter = new OTLPLogExporter({
            url: process.env.URL + '/v1/logs',
            headers: { authorization: 'Bearer ' + process.env.TOKEN },
            compression: 'gzip',
          })
          const provider = new LoggerProvider({
            resource: resourceFromAttributes({ 'service.name': 'shop-' + kind }),
            processors: [new BatchLogRecordProcessor(exporter)],
          })
          const logger = provider.getLogger('suite')
          logger.emit({ body: { n: i * 2, text: 'a map' }, severityNumber: 9, severityText: 'INFO', attributes: { user: 'ann' } })
          logger.emit({ body: 'a message', attributes: { n: i * 2 + 1 } })
          await provider.shutdown()
        }
      }
      main()`,
    )
    const rows = await shipping.events('n, text, message, extra', 4)
    expect(rows.map(([n, text, message]) => [Number(n), text, message])).toEqual([
      [0, 'a map', null],
      [1, null, 'a message'],
      [2, 'a map', null],
      [3, null, 'a message'],
    ])
    const extra = rows.map((row) => JSON.parse(row[3] as string))
    expect(extra[0]).toMatchObject({
      'service.name': 'shop-http',
      severity_text: 'INFO',
      user: 'ann',
      'otel.scope.name': 'suite',
    })
    expect(extra[2]).toMatchObject({ 'service.name': 'shop-proto', severity_text: 'INFO', severity_number: 9, user: 'ann' })
  })
})
