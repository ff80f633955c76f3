import { readFileSync } from 'node:fs'
import { isIPv6, type SocketAddress } from 'node:net'
import { endianness } from 'node:os'

type Address = Pick<SocketAddress, 'address' | 'port'>

/** The number of datagrams that the kernel has dropped for a socket since it was opened, mostly for lack of room in its buffer; `undefined` where the system does not tell. */
export function droppedDatagrams({ address, port }: Address): number | undefined {
  try {
    return dropsIn(readFileSync(isIPv6(address) ? '/proc/net/udp6' : '/proc/net/udp', 'latin1'), { address, port })
  } catch {
    return undefined
  }
}

/** The same from the text of `/proc/net/udp` or `udp6` (proc_pid_net(5)): a header, then a socket a row, its drops in the last column. */
export function dropsIn(table: string, { address, port }: Address, isLittle = endianness() === 'LE'): number | undefined {
  const local = `${hexAddress(address, isLittle)}:${port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const line of table.split('\n')) {
    const columns = line.trim().split(' ').filter(Boolean)
    const drops = columns.at(-1)
    if (columns[1] === local && drops !== undefined && /^\d+$/.test(drops)) return Number(drops)
  }
  return undefined
}

/** Words of 32 bits in the machine's byte order. */
function hexAddress(address: string, isLittle: boolean): string {
  const bytes = isIPv6(address) ? bytesOfV6(address) : address.split('.').map(Number)
  const words: string[] = []
  for (let i = 0; i < bytes.length; i += 4) {
    const word = bytes.slice(i, i + 4)
    words.push((isLittle ? word.reverse() : word).map((byte) => byte.toString(16).padStart(2, '0')).join(''))
  }
  return words.join('').toUpperCase()
}

function bytesOfV6(address: string): number[] {
  // The URL parser writes every address, also one that ends like IPv4, in groups of hexadecimal digits.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string | undefined) => (text ? text.split(':') : [])
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
}
