import { isObject, type JsonObject } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { JsonScanner } from '../../../util/json-scanner.ts'
import type { BodyDecoder } from './decoder.ts'
import { ReEncoded } from './re-encoded.ts'

/** One action of a bulk request. */
export interface BulkItem {
  readonly action: 'index' | 'create' | 'update' | 'delete'
  readonly index: string | undefined
  readonly id: string | undefined
  /** The line with the document; empty if the action has none. */
  readonly document: Uint8Array
  /** Why the item is not a record. */
  readonly refused: string | undefined
}

/**
 * Lines in pairs, an action and a document
 * (https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk). The parameter `index` is that of the URL.
 */
export const elasticsearchBulk: BodyDecoder = {
  kind: 'body',
  type: 'elasticsearch-bulk',
  summary: 'Bulk requests of Elasticsearch: each document that is indexed or created is a record.',
  example: {
    body: '{"create":{"_index":"logs"}}\n{"a":1}\n{"index":{}}\n{"message":"GET /","log":{"file":{"path":"/a.log"}}}\n',
    records: ['{"a":1}', 'GET /'],
  },
  decode(body, parameters) {
    const records = new ReEncoded()
    const broken = walkBulk(body, (item) => {
      if (item.refused === undefined) addDocument(records, item, parameters.get('index') ?? undefined)
    })
    return broken === undefined ? records.done() : { broken }
  },
}

/** Calls `on` for each item. Returns why the request is not a bulk request, in which case none of it counts. */
export function walkBulk(body: Uint8Array, on: (item: BulkItem) => void, most = Number.POSITIVE_INFINITY): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const items: BulkItem[] = []
  const lines = linesOf(bytes)
  for (let number = 1; items.length < most; number++) {
    const line = lines.next().value
    if (line === undefined) break
    const head = actionOf(line)
    if (typeof head === 'string') return `action ${number} is malformed: ${head}`
    const document = head.action === 'delete' ? new Uint8Array() : lines.next().value
    if (document === undefined) return `action ${number} has no document after it`
    items.push({ ...head, document, refused: refusalFor(head.action, document) })
  }
  for (const item of items) on(item)
  return undefined
}

function* linesOf(bytes: Buffer): Generator<Buffer, undefined> {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.length : newline
    const line = bytes.subarray(start, end)
    if (line.some((byte) => byte > 0x20)) yield line
    start = end + 1
  }
  return undefined
}

const ACTIONS = ['index', 'create', 'update', 'delete'] as const
const MAX_ACTION_BYTES = 16 * 1024

function actionOf(line: Buffer): Pick<BulkItem, 'action' | 'index' | 'id'> | string {
  const parsed = line.length > MAX_ACTION_BYTES ? undefined : parseJson(line.toString(), { maxDepth: 16 })
  const value = parsed?.kind === 'ok' && isObject(parsed.value) ? parsed.value : {}
  const [name, ...others] = Object.keys(value)
  const action = ACTIONS.find((known) => known === name)
  const meta = action && value[action]
  if (!action || others.length > 0 || !isObject(meta))
    return `expected {"index": {…}} or {"create": {…}}, found ${JSON.stringify(line.toString('utf8', 0, 40))}`
  const text = (key: string) => (typeof meta[key] === 'string' ? meta[key] : undefined)
  return { action, index: text('_index'), id: text('_id') }
}

function refusalFor(action: BulkItem['action'], document: Uint8Array): string | undefined {
  if (action === 'update' || action === 'delete')
    return `logs are only added here, and '${action}' changes what is stored: use create`
  const end = new JsonScanner().scan(document)
  const isWhole = document[document.findIndex((byte) => byte > 0x20)] === 0x7b && end >= 0
  return isWhole && document.subarray(end).every((byte) => byte <= 0x20) ? undefined : 'the document is not one JSON object'
}

/** Shippers wrap the lines that they read, in which case the line is the record and everything else belongs to it. */
function addDocument(records: ReEncoded, { index, id, document }: BulkItem, defaultIndex: string | undefined): void {
  const text = Buffer.from(document.buffer, document.byteOffset, document.byteLength).toString()
  const parsed = parseJson(text, { maxDepth: 64 })
  const own = parsed.kind === 'ok' && isObject(parsed.value) ? parsed.value : undefined
  const at = index ?? defaultIndex
  const meta: JsonObject = { ...(at !== undefined && { _index: at }), ...(id !== undefined && { _id: id }) }
  const time = own && rfc3339(own['@timestamp'])
  if (!own || !isWrappedLine(own)) {
    records.add(document, { time, ...(Object.keys(meta).length > 0 && { fields: meta }) })
    return
  }
  const { message, host, ...others } = own
  const name = isObject(host) ? host['name'] : host
  const machine = isObject(host) ? Object.fromEntries(Object.entries(host).map(([key, value]) => [`host.${key}`, value])) : {}
  records.add(message as string, {
    time,
    ...(typeof name === 'string' && { host: name }),
    fields: { ...others, ...machine, ...meta },
  })
}

/** What Filebeat and Logstash write for a line of a file, a container or syslog. Winlogbeat's `message` only repeats the event's fields. */
function isWrappedLine({ message, log, winlog }: JsonObject): boolean {
  if (typeof message !== 'string' || message.trim() === '' || winlog !== undefined || !isObject(log)) return false
  return log['file'] !== undefined || log['offset'] !== undefined || log['source'] !== undefined
}

function rfc3339(value: unknown): string | undefined {
  return typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value) &&
    !Number.isNaN(Date.parse(value))
    ? value
    : undefined
}
