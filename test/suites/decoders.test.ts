import { describe, expect, test } from 'vitest'
import type { BodyDecoder, TextDecoder } from '../../src/stages/source/decoders/decoder.ts'
import { jsonArray } from '../../src/stages/source/decoders/json-array.ts'
import { lines } from '../../src/stages/source/decoders/lines.ts'
import { failedBy, testSuite } from './behaviours.ts'
import { amongOthers, decoderSuite } from './decoders.ts'
import { envelopes } from './envelopes.fixture.ts'

testSuite(decoderSuite)
testSuite({ ...decoderSuite, registry: [envelopes] })

describe('the suite fails', () => {
  const losesTheLast: TextDecoder = {
    ...lines,
    step: (walk) => walk.line() && (walk.at < walk.bytes.length || walk.records.splice(-2).length > 0),
  }
  const waitsForMore: TextDecoder = { ...lines, step: (walk) => walk.bytes.indexOf(10, walk.at) >= 0 && walk.line() }
  const dropsWhatIsCut: TextDecoder = {
    ...jsonArray,
    step: (walk) =>
      jsonArray.step(walk) || (!walk.final && walk.state === 'array' && walk.emit(walk.start, walk.at, walk.bytes.length)),
  }
  const eatsAll: TextDecoder = { ...lines, step: (walk) => walk.emit(walk.start, walk.bytes.length, walk.bytes.length) }
  const throws: BodyDecoder = {
    ...envelopes,
    decode: (body, parameters) => ({ ...envelopes.decode(body, parameters), ...JSON.parse(`${body}`) }),
  }
  const shuffles: BodyDecoder = {
    ...envelopes,
    decode(body, parameters) {
      const decoded = envelopes.decode(body, parameters)
      return 'broken' in decoded ? decoded : { ...decoded, hints: decoded.hints?.toReversed() }
    },
  }

  test.each([
    ['loses the last record', losesTheLast, 'keeps the last record when nothing follows it'],
    ['waits for more at the end', waitsForMore, 'splits its example into the records that it names'],
    ['takes what is cut for whole', dropsWhatIsCut, 'finds the same records at the same places wherever the bytes are split'],
    ['takes everything for one record', eatsAll, 'splits its example into the records that it names'],
    ['throws', throws, 'never throws, whatever the bytes, and says why a body is not in its format'],
    ['gives hints out of order', shuffles, 'gives hints in order, and only beside a list of records'],
  ])('a decoder that %s', async (_, decoder, behaviour) => {
    expect(await failedBy(decoderSuite.behaviours, () => amongOthers(decoder))).toContain(behaviour)
  })

  test('no decoder without a fault', async () => {
    expect(await failedBy(decoderSuite.behaviours, () => amongOthers(lines))).toEqual([])
  })
})
