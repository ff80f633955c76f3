import { expect, test } from 'vitest'
import { awsVpcFlow } from './aws-vpcflow.ts'
import { HEADER } from './native.ts'

test('the header decides what the columns are', () => {
  const header = 'srcaddr dstaddr instance-id flow-direction start a-new-field'
  expect(awsVpcFlow.parse(header)).toBe(HEADER)
  expect(awsVpcFlow.parse('10.0.0.1 192.0.2.1 i-0123 egress 1713528000 x', header)).toEqual({
    srcAddr: '10.0.0.1',
    dstAddr: '192.0.2.1',
    instanceId: 'i-0123',
    flowDirection: 'egress',
    start: '1713528000',
    'a-new-field': 'x',
  })
})

test.each([
  ['a value too few', '2 123456789012 eni-1 192.0.2.10 10.0.0.21 20641 22 6 20 4249 1713528000 1713528060 ACCEPT'],
  ['an action that is not one', '2 123456789012 eni-1 192.0.2.10 10.0.0.21 20641 22 6 20 4249 1713528000 1713528060 DROP OK'],
  ['a port that is not a number', '2 123456789012 eni-1 192.0.2.10 10.0.0.21 ssh 22 6 20 4249 1713528000 1713528060 ACCEPT OK'],
])('refuses %s', (_, text) => {
  expect(awsVpcFlow.parse(text)).toBeUndefined()
})
