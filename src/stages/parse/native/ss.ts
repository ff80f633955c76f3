import type { JsonObject } from '../../../model/json.ts'
import { HEADER } from './native.ts'

const HEADER_ROW = /^(?:Netid +State|State) +Recv-Q +Send-Q/
const INTERNET = ['tcp', 'udp', 'raw', 'dccp', 'sctp', 'mptcp', 'icmp6', 'ping']
const OTHER = ['nl', 'p_raw', 'p_dgr', 'u_str', 'u_dgr', 'u_seq', 'v_str', 'v_dgr', 'tipc', 'xdp']
const STATES = ['LISTEN', 'UNCONN', 'ESTAB', 'SYN-SENT', 'SYN-RECV', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSE-WAIT']
const LAST_STATES = ['LAST-ACK', 'CLOSING', 'CLOSED', 'UNKNOWN']
const states = new Set([...STATES, ...LAST_STATES])

/** A row of `ss`, such as `ss -tulnp`, `HEADER`, or `undefined` if the text is neither. */
export function readSs(text: string): JsonObject | typeof HEADER | undefined {
  const row = new Columns(text)
  const first = row.next()
  const hasProtocol = INTERNET.includes(first) || OTHER.includes(first)
  const state = hasProtocol ? row.next() : first
  const recv = row.next()
  const send = row.next()
  const local = row.next()
  if (!states.has(state) || !isCount(recv) || !isCount(send) || local === '') return HEADER_ROW.test(text) ? HEADER : undefined
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
