import { expect, test } from 'vitest'
import { HEADER } from './native.ts'
import { netstat } from './netstat.ts'

test.each([
  [
    'UDP has no state',
    'udp        0      0 0.0.0.0:68              0.0.0.0:*                           535/dhclient        ',
    { process: '535/dhclient', state: undefined },
  ],
  [
    'the process of another user is not known',
    'tcp        0      0 127.0.0.1:25            0.0.0.0:*               LISTEN      -                   ',
    { state: 'LISTEN', process: undefined },
  ],
  [
    'a program name has blanks',
    'tcp        0      0 0.0.0.0:9000            0.0.0.0:*               LISTEN      1187/pgpool: watchd',
    { process: '1187/pgpool: watchd' },
  ],
  [
    'with `-e`, user and inode',
    'tcp6       0      0 ::1:38134               ::1:22                  ESTABLISHED 1000       63128      6491/ssh            ',
    { state: 'ESTABLISHED', user: '1000', inode: 63128, process: '6491/ssh' },
  ],
  [
    'with `-e`, UDP of a numeric user has no state either',
    'udp        0      0 127.0.0.53:53           0.0.0.0:*                           101        26984      893/systemd-resolve ',
    { state: undefined, user: '101', inode: 26984 },
  ],
  [
    'raw sockets have a number as state',
    'raw6       0      0 :::58                   :::*                    7           874/systemd-network ',
    { state: '7', process: '874/systemd-network' },
  ],
  [
    'a Unix socket without state, process and path',
    'unix  3      [ ]         DGRAM                    44430    -                   ',
    { inode: 44430, state: undefined, process: undefined, path: undefined, local_address: undefined },
  ],
  [
    'a Unix socket with a relative path',
    'unix  2      [ ACC ]     STREAM     LISTENING     22321    1469/master          public/pickup',
    { flags: 'ACC', process: '1469/master', path: 'public/pickup' },
  ],
  [
    'ss without a column for the protocol',
    'LISTEN 0      128          0.0.0.0:22        0.0.0.0:*',
    { protocol: 'tcp', local_address: '0.0.0.0:22', details: undefined },
  ],
  [
    'ss lists UDP alone',
    'UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*',
    { protocol: 'udp', local_address: '127.0.0.53%lo:53' },
  ],
  ['ss lists netlink', 'nl     UNCONN 768    0      rtnl:kernel                 *', { protocol: 'nl', path: 'rtnl:kernel' }],
])('%s', (_, text, fields) => {
  const record = netstat.parse(text)
  expect(record).toMatchObject(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)))
  for (const [name, value] of Object.entries(fields)) if (value === undefined) expect(record).not.toHaveProperty(name)
})

test.each([
  'Active Internet connections (servers and established)',
  'Active UNIX domain sockets (only servers)',
  'Proto RefCnt Flags       Type       State         I-Node   PID/Program name     Path',
  'Netid  State      Recv-Q Send-Q Local Address:Port                 Peer Address:Port',
  'State  Recv-Q Send-Q Local Address:Port Peer Address:Port',
])('%s is no record', (text) => {
  expect(netstat.parse(text)).toBe(HEADER)
})

test.each(['tcp is a protocol', 'tcp 0 x 0.0.0.0:22 0.0.0.0:* LISTEN', 'Kernel IP routing table', 'LISTEN to me'])(
  'refuses %j',
  (text) => {
    expect(netstat.parse(text)).toBeUndefined()
  },
)
