import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Chunk } from '../../model/chunk.ts'
import { withoutDeadly } from './deadly.ts'

const lines = fc.array(fc.constantFrom('a', 'bb', 'ccc', '#h', '', 'kill'), { maxLength: 12 })

function chunkOf(texts: readonly string[], number: number): Chunk {
  return {
    bytes: Buffer.from(texts.join('\n')),
    place: String(number).repeat(16),
    offset: number * 100,
    context: '',
    final: true,
    faults: [],
  }
}

const recordsOf = ({ bytes, records }: Chunk) => {
  const text = Buffer.from(bytes).toString()
  return Array.from({ length: records!.length / 2 }, (_, i) => text.slice(records![2 * i], records![2 * i + 1]))
}

test('the records that end threads become faults at their places, up to four; all others stay in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { minLength: 1, maxLength: 3 }), async (all) => {
      const chunks = all.map(chunkOf)
      const found = await withoutDeadly(chunks, async (some) => !some.flatMap(recordsOf).includes('kill'))
      const kept = all.flat().filter((text) => text !== '')
      const kills = kept.filter((text) => text === 'kill').length
      const faults = found.flatMap(({ faults }) => faults)
      if (kills <= 4) {
        expect(found.flatMap(recordsOf)).toEqual(kept.filter((text) => text !== 'kill'))
        expect(faults).toHaveLength(kills)
      } else expect([found.flatMap(recordsOf), faults.length]).toEqual([[], kept.length])
      found.forEach(({ faults, offset }, number) => {
        const text = all[number]!.join('\n')
        for (const { offset: at, length, raw } of faults)
          expect(Buffer.from(raw).toString()).toBe(text.slice(at - offset, at - offset + length))
      })
    }),
    { seed: 5 },
  )
})

test('a record that ends threads only after its header is found', async () => {
  const texts = ['#h', 'a', 'bb', 'kill', 'ccc']
  const isDeadly = (records: readonly string[]) => records.includes('#h') && records.includes('kill')
  const [found] = await withoutDeadly([chunkOf(texts, 1)], async ([chunk]) => !isDeadly(recordsOf(chunk!)))
  expect(recordsOf(found!)).toEqual(['#h', 'a', 'bb', 'ccc'])
})

test('what prevents trying is an error', async () => {
  await expect(withoutDeadly([chunkOf(['a'], 1)], () => Promise.reject(new Error('stopping')))).rejects.toThrow('stopping')
})
