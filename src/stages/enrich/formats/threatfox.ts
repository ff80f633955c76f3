import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { TableError } from '../table.ts'
import { batches, type Format, quote, type ReadRow } from './format.ts'

const MAX_DEPTH = 8

/**
 * ThreatFox's export (https://threatfox.abuse.ch/export/): an object with a list of indicators for each id. The value of each is under the
 * name of what it is (`ip` with its `port`, `domain`, `url`, `hash`) and under the primary key, so that a table takes one kind by requiring it in its schema.
 */
export const threatfox: Format = {
  type: 'threatfox',
  summary: "ThreatFox's JSON export; each row has its value as `ip` (with `port`), `domain`, `url` or `hash`.",
  isText: false,
  isWide: true,
  extensions: [],
  read: (text) => batches(rows(text)),
}

function* rows(text: string): Generator<ReadRow> {
  const read = parseJson(text, { maxDepth: MAX_DEPTH })
  if (read.kind === 'failure') throw new TableError(`not an export of ThreatFox: ${read.message}`)
  if (!isObject(read.value)) throw new TableError('not an export of ThreatFox: it is not a JSON object')
  for (const [id, list] of Object.entries(read.value)) {
    if (!Array.isArray(list)) yield `${quote(id)} has no list of indicators`
    else for (const one of list as readonly JsonValue[]) yield rowOf(id, one)
  }
}

function rowOf(id: string, one: JsonValue): ReadRow {
  if (!isObject(one) || typeof one['ioc_value'] !== 'string') return `an indicator of ${quote(id)} has no ioc_value`
  const { ioc_value: value, ioc_type: type, ...rest } = one
  const known = Object.fromEntries(Object.entries(rest).filter(([, member]) => member !== null))
  return { ...known, ioc_type: type ?? null, ...indicatorAt(String(type), value as string) }
}

function indicatorAt(type: string, value: string): JsonObject {
  if (type === 'ip:port') {
    const [, ip, port] = /^\[?(.*?)\]?:(\d+)$/.exec(value) ?? []
    return ip === undefined ? { ip: value } : { ip, port: Number(port) }
  }
  return { [/_hash$/.test(type) ? 'hash' : type === 'domain' ? 'domain' : 'url']: value }
}
