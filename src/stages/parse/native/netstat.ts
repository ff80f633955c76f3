import type { JsonObject } from '../../../model/json.ts'
import { HEADER, type NativeParser } from './native.ts'
import { readSs } from './ss.ts'

const HEADERS = [
  'Active Internet connections',
  'Active UNIX domain sockets',
  'Proto Recv-Q',
  'Proto RefCnt',
  '(Not all processes could be',
  ' will not be shown, you would',
]
const INTERNET = /^((?:tcp|udp|udplite|raw|sctp|icmp)6?) +(\d{1,15}) +(\d{1,15}) +(\S+) +(\S+)(?: +|$)/
const STATE = /^([A-Z][A-Z_]*[12]?|\d{1,3})(?: +|$)/
const OWNER = /^(\S+) +(\d{1,15})(?: +|$)/
const PROCESS = /^(?:\d+\/|-(?: |$))/
const UNIX = /^unix +(\d{1,10}) +\[([A-Z ]*)\] +([A-Z]+)(?: +([A-Z]+))? +(\d{1,15})(?: +|$)/
/** Width of the column of process names, as in net-tools. */
const PROCESS_WIDTH = 20

/** Fields are those of `Custom.Netstat`; sockets that are not of the internet protocols have a `path` instead of addresses. */
export const netstat: NativeParser = {
  type: 'netstat',
  summary: 'Sockets as listed by `netstat -tunlp` or `ss -tulnp` of Linux.',
  example: {
    texts: [
      'Active Internet connections (only servers)',
      'Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name    ',
      'tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      600/sshd: /usr/sbin ',
      'udp6       0      0 :::5353                 :::*                                442/avahi-daemon',
      'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess',
      'tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=1127,fd=3)) uid:0 ino:24994 sk:1 <->',
    ],
    records: [
      {
        protocol: 'tcp',
        recv: 0,
        send: 0,
        local_address: '0.0.0.0:22',
        foreign_address: '0.0.0.0:*',
        state: 'LISTEN',
        process: '600/sshd: /usr/sbin',
      },
      { protocol: 'udp6', recv: 0, send: 0, local_address: ':::5353', foreign_address: ':::*', process: '442/avahi-daemon' },
      {
        protocol: 'tcp',
        state: 'LISTEN',
        recv: 0,
        send: 128,
        local_address: '0.0.0.0:22',
        foreign_address: '0.0.0.0:*',
        process: '1127/sshd',
        user: '0',
        inode: 24994,
        details: 'users:(("sshd",pid=1127,fd=3)) uid:0 ino:24994 sk:1 <->',
      },
    ],
  },
  parse(text) {
    const socket = INTERNET.exec(text)
    if (socket !== null) {
      const [whole, protocol, recv, send, local, foreign] = socket
      const record: JsonObject = { protocol: protocol!, recv: Number(recv), send: Number(send) }
      record['local_address'] = local!
      record['foreign_address'] = foreign!
      addOwner(text.slice(whole.length), record)
      return record
    }
    return readUnix(text) ?? (HEADERS.some((header) => text.startsWith(header)) ? HEADER : readSs(text))
  },
}

/** `[state] [user inode] [process]`: rows of UDP have no state, and `-e` and `-p` add the others. */
function addOwner(text: string, record: JsonObject): void {
  let rest = text
  const state = PROCESS.test(rest) ? null : STATE.exec(rest)
  // With `-e`, a number is a state only of raw sockets, whose inode follows the user.
  if (state !== null && (!/^\d/.test(state[1]!) || String(record['protocol']).startsWith('raw'))) {
    record['state'] = state[1]!
    rest = rest.slice(state[0].length)
  }
  const owner = PROCESS.test(rest) ? null : OWNER.exec(rest)
  if (owner !== null) {
    record['user'] = owner[1]!
    record['inode'] = Number(owner[2])
    rest = rest.slice(owner[0].length)
  }
  const process = rest.trimEnd()
  if (process !== '' && process !== '-') record['process'] = process
}

/** A row of the second table, `unix 2 [ ACC ] STREAM LISTENING 13851 1/systemd /run/socket`. */
function readUnix(text: string): JsonObject | undefined {
  const socket = UNIX.exec(text)
  if (socket === null) return undefined
  const [whole, references, flags, type, state, inode] = socket
  const record: JsonObject = { protocol: 'unix', references: Number(references), type: type! }
  if (flags!.trim() !== '') record['flags'] = flags!.trim()
  if (state !== undefined) record['state'] = state
  record['inode'] = Number(inode)
  let rest = text.slice(whole.length)
  if (PROCESS.test(rest)) {
    const isPadded = rest[PROCESS_WIDTH] === ' ' || rest.length <= PROCESS_WIDTH
    const end = isPadded ? PROCESS_WIDTH : rest.indexOf(' ', rest.indexOf('/'))
    const process = (end < 0 ? rest : rest.slice(0, end)).trim()
    if (process !== '-') record['process'] = process
    rest = end < 0 ? '' : rest.slice(end)
  }
  if (rest.trim() !== '') record['path'] = rest.trim()
  return record
}
