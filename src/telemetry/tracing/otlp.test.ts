import { expect, test } from 'vitest'
import { otlpTraces } from './otlp.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'

test('spans are what OTLP says in JSON: ids as hex, 64-bit numbers as text, times in nanoseconds', () => {
  const root = {
    traceId: TRACE,
    spanId: 'b7ad6b7169203331',
    name: 'batch',
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001,
    attributes: { 'caracal.source': 'é', 'caracal.bytes': 12, share: 0.5 },
    events: [{ name: 'alert', atMs: 1_700_000_000_000.5, attributes: { 'caracal.rule': 'Evil' } }],
    droppedEvents: 3,
    isFailed: true,
  }
  const child = { ...root, spanId: '00f067aa0ba902b7', parentId: root.spanId, name: 'parse', attributes: {} }
  const { events: _, droppedEvents, isFailed, ...plain } = child
  expect(JSON.parse(otlpTraces([root, plain], { 'service.name': 'caracal' }))).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'caracal' } }] },
        scopeSpans: [
          {
            scope: { name: 'caracal' },
            spans: [
              {
                traceId: TRACE,
                spanId: 'b7ad6b7169203331',
                name: 'batch',
                kind: 5,
                startTimeUnixNano: '1700000000000250000',
                endTimeUnixNano: '1700000000001000000',
                attributes: [
                  { key: 'caracal.source', value: { stringValue: 'é' } },
                  { key: 'caracal.bytes', value: { intValue: '12' } },
                  { key: 'share', value: { doubleValue: 0.5 } },
                ],
                events: [
                  {
                    name: 'alert',
                    timeUnixNano: '1700000000000500000',
                    attributes: [{ key: 'caracal.rule', value: { stringValue: 'Evil' } }],
                  },
                ],
                droppedEventsCount: 3,
                status: { code: 2 },
              },
              {
                traceId: TRACE,
                spanId: '00f067aa0ba902b7',
                parentSpanId: 'b7ad6b7169203331',
                name: 'parse',
                kind: 1,
                startTimeUnixNano: '1700000000000250000',
                endTimeUnixNano: '1700000000001000000',
                attributes: [],
              },
            ],
          },
        ],
      },
    ],
  })
})
