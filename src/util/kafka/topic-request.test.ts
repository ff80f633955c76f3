import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzRuns } from '../../../test/support/fuzz.ts'
import { decodeTopics } from './topic-request.ts'

const bytes = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const NODE = '00000001 0a 3132372e302e302e31 0000c350 00 00'
const ID = '6cbc56ecb9d6454e8b3f09b9c833b076'
/** Partition 0, led by node 1, with a list of one replica, one in sync, none away. */
const PARTITION = '0000 00000000 00000001 00000000 02 00000001 02 00000001 01 00'
const begin = `00 00000000 02 ${NODE} 01 00000001`
const end = '80000000 00'

test.each([
  [
    'one that exists',
    `${begin} 02 0000 02 61 ${ID} 00 02 ${PARTITION} 80000000 00 ${end}`,
    [{ name: 'a', id: ID, partitions: 1, leader: 1 }],
  ],
  ['one without an id', `${begin} 02 0000 02 61 ${'00'.repeat(16)} 00 01 80000000 00 ${end}`, [{ name: 'a', partitions: 0 }]],
  ['one that is missing', `${begin} 02 0003 02 61 ${'00'.repeat(16)} 00 01 80000000 00 ${end}`, []],
])('an answer about a topic: %s', (_, hex, topics) => {
  const answer = decodeTopics(bytes(hex))
  expect(answer.topics).toEqual(topics)
  expect([answer.nodes, answer.controller]).toEqual([[{ id: 1, host: '127.0.0.1', port: 50000 }], 1])
  expect([...answer.errors]).toEqual(topics.length === 0 ? [['a', 3]] : [])
})

test('whatever bytes a broker sends, they are refused or read, in little memory', () => {
  const whole = bytes(`${begin} 02 0000 02 61 ${ID} 00 02 ${PARTITION} 80000000 00 ${end}`)
  const changed = fc.tuple(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 12 })).map(([at, put]) => {
    const copy = Buffer.from(whole)
    copy.set(put.subarray(0, copy.length - at), at)
    return copy
  })
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 100 }).map(Buffer.from)), (data) => {
      try {
        decodeTopics(data as Buffer)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }),
    { numRuns: fuzzRuns(300) },
  )
})
