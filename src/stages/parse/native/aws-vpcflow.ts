import { type Column, recordOf } from './columns.ts'
import { HEADER, type NativeParser } from './native.ts'

/** Fields as AWS's documentation names them ("Flow log records"), and as Panther's `AWS.VPCFlow` does. */
const FIELDS: Readonly<Record<string, Column>> = {
  version: ['version', 'number'],
  'account-id': ['account'],
  'interface-id': ['interfaceId'],
  srcaddr: ['srcAddr'],
  dstaddr: ['dstAddr'],
  srcport: ['srcPort', 'number'],
  dstport: ['dstPort', 'number'],
  protocol: ['protocol', 'number'],
  packets: ['packets', 'number'],
  bytes: ['bytes', 'number'],
  start: ['start'],
  end: ['end'],
  action: ['action'],
  'log-status': ['status'],
  'vpc-id': ['vpcId'],
  'subnet-id': ['subNetId'],
  'instance-id': ['instanceId'],
  'tcp-flags': ['tcpFlags', 'number'],
  type: ['trafficType'],
  'pkt-srcaddr': ['pktSrcAddr'],
  'pkt-dstaddr': ['pktDstAddr'],
  region: ['region'],
  'az-id': ['azId'],
  'sublocation-type': ['sublocationType'],
  'sublocation-id': ['sublocationId'],
  'pkt-src-aws-service': ['pktSrcAwsService'],
  'pkt-dst-aws-service': ['pktDstAwsService'],
  'flow-direction': ['flowDirection'],
  'traffic-path': ['trafficPath', 'number'],
}
/** The default format. */
const VERSION_2 = Object.values(FIELDS).slice(0, 14)
const ACTIONS = new Set(['ACCEPT', 'REJECT', '-'])
const STATUSES = new Set(['OK', 'NODATA', 'SKIPDATA'])
/** AWS has some forty fields. */
const MAX_COLUMNS = 100

export const awsVpcFlow: NativeParser = {
  type: 'aws-vpcflow',
  summary: 'VPC flow logs of AWS, in the default format or in the order of their header.',
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
  parse(text, header = '') {
    const values = text.trimEnd().split(' ', MAX_COLUMNS)
    if (columnsOf(values) !== undefined) return HEADER
    const columns = columnsOf(header.trimEnd().split(' ', MAX_COLUMNS)) ?? VERSION_2
    if (values.length !== columns.length || !isFlow(columns, values)) return undefined
    return recordOf(
      columns,
      values.map((value) => (value === '-' ? undefined : value)),
    )
  },
}

/** The columns of a header, or `undefined` if it is not one. A name that AWS has added since becomes a field as it is. */
function columnsOf(names: readonly string[]): readonly Column[] | undefined {
  const known = names.filter((name) => Object.hasOwn(FIELDS, name)).length
  if (known < 3 || known < names.length / 2 || names.some((name) => !/^[a-z][a-z0-9-]{0,63}$/.test(name))) return undefined
  return names.map((name) => (Object.hasOwn(FIELDS, name) ? FIELDS[name]! : [name]))
}

function isFlow(columns: readonly Column[], values: readonly string[]): boolean {
  return columns.every(([name], i) => {
    if (name === 'action') return ACTIONS.has(values[i]!)
    if (name === 'status') return STATUSES.has(values[i]!)
    return values[i] !== ''
  })
}
