import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { TableError } from '../table.ts'
import { records } from './csv.ts'
import { BATCH, batches, type Format, lines, quote, type ReadRow } from './format.ts'

/** CSV columns that may contain the address; the first one that exists is used. */
const ADDRESS_COLUMNS = ['ip', 'ipaddr', 'address']

const MAX_DEPTH = 8

/**
 * Tor exit addresses in the forms in which they are published: an address per line (`torbulkexitlist`), records with
 * `ExitNode`, `Published`, `LastStatus`, `ExitAddress` lines (`exit-addresses`, described at
 * https://metrics.torproject.org/collector.html#type-tordnsel), CSV with an address column, and details by Onionoo
 * (https://metrics.torproject.org/onionoo.html#details), which alone have IPv6.
 */
export const tor: Format = {
  type: 'tor',
  summary: 'Tor exit addresses: one per line, exit-addresses records, CSV with an address column, or details by Onionoo.',
  isText: true,
  isWide: false,
  extensions: [],
  read(text, { primaryKey }) {
    const first = firstLine(text)
    if (/^(ExitNode|@type tordnsel|Downloaded) /.test(first)) return batches(exitAddresses(text, primaryKey))
    if (first.startsWith('{')) return batches(relays(text, primaryKey))
    return first.includes(',') ? addressColumn(text, primaryKey) : batches(bulkList(text, primaryKey))
  },
}

function firstLine(text: string): string {
  for (const { line } of lines(text)) if (line.trim() !== '' && !line.startsWith('#')) return line.trim()
  return ''
}

function* bulkList(text: string, primaryKey: string): Generator<JsonObject> {
  for (const { line } of lines(text)) {
    const address = line.trim()
    if (address !== '' && !address.startsWith('#')) yield { [primaryKey]: address }
  }
}

const RECORD_LINE = /^(ExitNode|Published|LastStatus|ExitAddress|@type|Downloaded)(?: |$)/

function* exitAddresses(text: string, primaryKey: string): Generator<ReadRow> {
  for (const { line, number } of lines(text)) {
    if (line.trim() === '') continue
    const keyword = RECORD_LINE.exec(line)?.[1]
    // ExitAddress 185.241.208.232 2024-03-12 08:10:51
    if (keyword === 'ExitAddress') yield { [primaryKey]: line.split(' ')[1] ?? '' }
    else if (keyword === undefined) yield `line ${number} is not a line of exit-addresses: ${quote(line)}`
  }
}

/** The addresses from which a relay's traffic leaves it, and those on which it listens, from which traffic leaves by IPv6. */
function* relays(text: string, primaryKey: string): Generator<ReadRow> {
  const read = parseJson(text, { maxDepth: MAX_DEPTH })
  if (read.kind === 'failure') throw new TableError(`not an answer of Onionoo: ${read.message}`)
  const list = isObject(read.value) ? read.value['relays'] : undefined
  if (!Array.isArray(list)) throw new TableError('not an answer of Onionoo: it has no list of relays')
  const found = new Set<string>()
  for (const [i, relay] of (list as readonly JsonValue[]).entries()) {
    const { exit_addresses: exits = [], or_addresses: own = [] } = isObject(relay) ? relay : {}
    const addresses = [exits, own].flatMap((one) => (Array.isArray(one) ? (one as JsonValue[]) : []))
    if (addresses.length === 0) yield `relay ${i} has no addresses`
    for (const one of addresses) if (typeof one === 'string') found.add(withoutPort(one))
  }
  for (const address of found) yield { [primaryKey]: address }
}

/** `192.0.2.1:9001` and `[2001:db8::1]:9001` without the port. */
function withoutPort(address: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? address.replace(/^([\d.]+):\d+$/, '$1')
}

async function* addressColumn(text: string, primaryKey: string): AsyncGenerator<ReadRow[]> {
  let column = -1
  let batch: ReadRow[] = []
  for await (const { cells, line } of records(text)) {
    if (column < 0) column = findColumn(cells)
    else batch.push(cells[column] === undefined ? `line ${line} has no address` : { [primaryKey]: cells[column]! })
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  yield batch
}

function findColumn(header: readonly string[]): number {
  const lower = header.map((cell) => cell.toLowerCase())
  const column = ADDRESS_COLUMNS.find((name) => lower.includes(name))
  if (column === undefined) {
    throw new TableError(
      `the CSV has no address column (${ADDRESS_COLUMNS.join(', ')}): its first line is ${quote(header.join(','))}`,
    )
  }
  return lower.indexOf(column)
}
