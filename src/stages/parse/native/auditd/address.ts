import type { JsonObject } from '../../../../model/json.ts'

const INET = 2
const INET6 = 10

/** Adds the address and port of a socket address in hex (struct sockaddr: family in the machine's order, port and address in the network's). */
export function readAddress(hex: string, record: JsonObject): void {
  const bytes = Buffer.from(hex.slice(0, 64), 'hex')
  if (bytes.length < 8) return
  const family = bytes.readUInt16LE(0)
  if (family !== INET && !(family === INET6 && bytes.length >= 24)) return
  record['saddr_port'] = bytes.readUInt16BE(2)
  record['saddr_ip'] =
    family === INET
      ? bytes.subarray(4, 8).join('.')
      : Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(8 + 2 * i).toString(16)).join(':')
}
