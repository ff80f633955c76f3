import { addressNumber } from '../../../model/ip-range.ts'
import { batches, type Format, lines, quote, type ReadRow } from './format.ts'

/** Names of the local host, which are in every hosts file. */
const OWN_NAMES = new Set(['localhost', 'localhost.localdomain', 'local', 'broadcasthost', '0.0.0.0'])
const OWN_PREFIX = /^ip6-/

/** A hosts file, a common form of block lists: an address and its names; `#` begins a comment. */
export const hosts: Format = {
  type: 'hosts',
  summary: 'A hosts file: the names are the keys, their address is the `address`.',
  isText: true,
  isWide: false,
  extensions: ['.hosts'],
  matchOf: () => 'domain',
  read: (text, { primaryKey }) => batches(rows(text, primaryKey)),
}

function* rows(text: string, primaryKey: string): Generator<ReadRow> {
  for (const { line, number } of lines(text)) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address === undefined || address === '') continue
    if (!addressNumber(address.replace(/%.*/, ''))) {
      yield `line ${number} does not begin with an address: ${quote(line)}`
      continue
    }
    for (const name of names) if (!OWN_NAMES.has(name) && !OWN_PREFIX.test(name)) yield { address, [primaryKey]: name }
  }
}
