import type { JsonObject } from '../../../model/json.ts'
import { HEADER, type NativeParser } from './native.ts'

const HEADERS = ['Netid ', 'State ']
const INTERNET = ['tcp', 'udp', 'raw', 'dccp', 'sctp', 'mptcp', 'icmp6', 'ping']
const OTHER = ['nl', 'p_raw', 'p_dgr', 'u_str', 'u_dgr', 'u_seq', 'v_str', 'v_dgr', 'tipc', 'xdp']
const STATES = ['LISTEN', 'UNCONN', 'ESTAB', 'SYN-SENT', 'SYN-RECV', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSE-WAIT']
const LAST_STATES = ['LAST-ACK', 'CLOSING', 'CLOSED', 'UNKNOWN']
const states = new Set([...STATES, ...LAST_STATES])

/** Fields are those of `Custom.Netstat`; sockets that are not of the internet protocols have a `path` instead of addresses. */
export const ss: NativeParser = {
  type: 'ss',
  summary: 'Sockets as listed by `ss`, such as `ss -tulnp`.',
  example: {
    texts: [
      'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess',
      'tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=1127,fd=3)) uid:0 ino:24994 sk:1 <->',
      'u_str LISTEN 0      128    /run/systemd/private 8981     * 0',
    ],
    records: [
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
      { protocol: 'u_str', state: 'LISTEN', recv: 0, send: 128, path: '/run/systemd/private', inode: 8981 },
    ],
  },
  parse(text) {
    const row = new Columns(text)
    const first = row.next()
    const hasProtocol = INTERNET.includes(first) || OTHER.includes(first)
    const state = hasProtocol ? row.next() : first
    const recv = row.next()
    const send = row.next()
    const local = row.next()
    if (!states.has(state) || !isCount(recv) || !isCount(send) || local === '')
      return HEADERS.some((header) => text.startsWith(header)) ? HEADER : undefined
    // Without a column for the protocol, `ss` lists TCP or UDP alone.
    const protocol = hasProtocol ? first : state === 'UNCONN' ? 'udp' : 'tcp'
    const record: JsonObject = { protocol, state, recv: Number(recv), send: Number(send) }
    if (OTHER.includes(protocol)) {
      record['path'] = local
      const inode = row.next()
      if (protocol.startsWith('u_') && isCount(inode)) record['inode'] = Number(inode)
      return record
    }
    record['local_address'] = local
    record['foreign_address'] = row.next()
    addDetails(row.rest(), record)
    return record
  },
}

/** The values of a row one after the other, without the blanks between them. */
class Columns {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  next(): string {
    while (this.#text.charCodeAt(this.#at) === 0x20) this.#at++
    const end = this.#text.indexOf(' ', this.#at)
    const from = this.#at
    this.#at = end < 0 ? this.#text.length : end
    return this.#text.slice(from, this.#at)
  }

  rest(): string {
    return this.#text.slice(this.#at).trim()
  }
}

function isCount(text: string): boolean {
  return /^\d{1,15}$/.test(text)
}

/** `users:(("sshd",pid=1127,fd=3)) uid:0 ino:24994 …`, as `-p` and `-e` add it. */
function addDetails(text: string, record: JsonObject): void {
  if (text === '') return
  const process = /^users:\(\("([^"]*)",pid=(\d{1,10})/.exec(text)
  if (process !== null) record['process'] = `${process[2]}/${process[1]}`
  const user = / uid:(\d{1,10})(?: |$)/.exec(text)
  if (user !== null) record['user'] = user[1]!
  const inode = /(?:^| )ino:(\d{1,15})(?: |$)/.exec(text)
  if (inode !== null) record['inode'] = Number(inode[1])
  record['details'] = text
}
