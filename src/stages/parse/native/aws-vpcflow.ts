import { type Column, recordOf } from './columns.ts'
import { HEADER, type NativeParser } from './native.ts'

/** Fields of flow logs as AWS names them, and as Panther's `AWS.VPCFlow` does; those of version 2 are the default format. */
const DEFAULT: readonly Column[] = [
  ['version', 'number'],
  ['account'],
  ['interfaceId'],
  ['srcAddr'],
  ['dstAddr'],
  ['srcPort', 'number'],
  ['dstPort', 'number'],
  ['protocol', 'number'],
  ['packets', 'number'],
  ['bytes', 'number'],
  ['start'],
  ['end'],
  ['action'],
  ['status'],
]
const ACTIONS = new Set(['ACCEPT', 'REJECT', '-'])
const STATUSES = new Set(['OK', 'NODATA', 'SKIPDATA'])

export const awsVpcFlow: NativeParser = {
  type: 'aws-vpcflow',
  summary: 'VPC flow logs of AWS in the default format.',
  example: {
    texts: [
      'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
      '2 123456789012 eni-1235b8ca123456789 192.0.2.10 10.0.0.21 20641 22 6 20 4249 1713528000 1713528060 ACCEPT OK',
      '2 123456789012 eni-1235b8ca123456789 - - - - - - - 1713528000 1713528060 - NODATA',
    ],
    records: [
      {
        version: 2,
        account: '123456789012',
        interfaceId: 'eni-1235b8ca123456789',
        srcAddr: '192.0.2.10',
        dstAddr: '10.0.0.21',
        srcPort: 20641,
        dstPort: 22,
        protocol: 6,
        packets: 20,
        bytes: 4249,
        start: '1713528000',
        end: '1713528060',
        action: 'ACCEPT',
        status: 'OK',
      },
      {
        version: 2,
        account: '123456789012',
        interfaceId: 'eni-1235b8ca123456789',
        start: '1713528000',
        end: '1713528060',
        status: 'NODATA',
      },
    ],
  },
  parse(text) {
    if (text.startsWith('version account-id ')) return HEADER
    const values = text.trimEnd().split(' ', DEFAULT.length + 1)
    if (values.length !== DEFAULT.length || !ACTIONS.has(values[12]!) || !STATUSES.has(values[13]!)) return undefined
    return recordOf(
      DEFAULT,
      values.map((value) => (value === '-' ? undefined : value)),
    )
  },
}
