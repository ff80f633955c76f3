import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIp } from '../../../model/ip.ts'
import { AddressBatch } from './address-batch.ts'

test('every text in a batch is parsed as it is by itself', () => {
  const batch = new AddressBatch(50)
  const own = new Uint32Array(4)
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('', '\n', '1.2.3.4\n', '\n1.2.3.4', '1.2.3', '::ffff:1.2.3.4', '1.2.3.4\u0661', '\ud800', 'x'.repeat(46)),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef.:'), maxLength: 50 }),
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
      batch.read(texts)
      for (const [i, one] of texts.entries()) {
        const family = parseIp(one, own)
        const words = family === 0 ? 0 : family === 4 ? 1 : 4
        expect([batch.families[i], ...batch.words.subarray(i * 4, i * 4 + words)]).toEqual([family, ...own.subarray(0, words)])
      }
    }),
    { seed: 4848, numRuns: 1000 },
  )
})
