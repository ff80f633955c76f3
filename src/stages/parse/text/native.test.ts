import { expect, test } from 'vitest'
import { native } from './native.ts'

const HEADER = 'dstaddr srcaddr start'

test('the next chunk remembers the header', () => {
  const parser = native.create({ name: 'aws-vpcflow' })
  const first = parser.open('')
  first.read(HEADER)
  expect(parser.open(first.context()).read('10.0.0.1 192.0.2.1 1713528000')).toEqual({
    dstAddr: '10.0.0.1',
    srcAddr: '192.0.2.1',
    start: '1713528000',
  })
})
