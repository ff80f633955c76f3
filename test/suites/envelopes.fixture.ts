import type { HintsFrom } from '../../src/model/chunk.ts'
import type { BodyDecoder } from '../../src/stages/source/decoders/decoder.ts'

interface Envelope {
  readonly event: object
  readonly type?: string
  readonly time?: string
  readonly host?: string
  readonly label?: string
}

/** A format for tests: a JSON array of events, each in an envelope with type, time, place and user. */
export const envelopes: BodyDecoder = {
  kind: 'body',
  type: 'envelopes',
  summary: 'Events in envelopes, for tests only.',
  example: {
    body: '[{"event":{"n":1},"host":"a"},{"event":{"n":2},"type":"Custom.Thing"}]',
    records: ['{"n":1}', '{"n":2}'],
  },
  decode(body) {
    let list: unknown
    try {
      list = JSON.parse(Buffer.from(body).toString())
    } catch {
      return { broken: 'it is not JSON' }
    }
    if (!Array.isArray(list) || !list.every(isEnvelope)) return { broken: 'it is no array of envelopes' }
    const hints: HintsFrom[] = []
    const records: number[] = []
    let text = ''
    for (const { event, type: logType, time, host, label: sourceLabel } of list) {
      const from = Buffer.byteLength(text)
      hints.push({ from, hints: { logType, time, host, sourceLabel } })
      text += `${JSON.stringify(event)}\n`
      records.push(from, Buffer.byteLength(text) - 1)
    }
    return { bytes: Buffer.from(text), records: Uint32Array.from(records), count: list.length, hints }
  },
}

function isEnvelope(value: unknown): value is Envelope {
  return (
    typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'object' && value.event !== null
  )
}
