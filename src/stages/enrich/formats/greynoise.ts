import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { TableError } from '../table.ts'
import { batches, type Format, lines, type ReadRow } from './format.ts'

const MAX_DEPTH = 32
const SAVE = "save the API's own response (examples in its documentation are not always strict JSON)"

/**
 * Responses of GreyNoise's query API: a single one, a JSON array of them, or one per line. Version 2
 * (community, quick, multi-quick, context, GNQL pages) and version 3 (IP look-ups, multi, GNQL pages, quick or normal).
 * Each address that the sensors saw (`noise`) or that belongs to a known service (RIOT, business service: `ip_cidr`, `provider`, `scan_time`)
 * becomes a row; a table takes those whose fields its schema requires. Rows of version 3 also have its two objects as they are, under their
 * names. Formats: https://docs.greynoise.io/reference.
 */
export const greynoise: Format = {
  type: 'greynoise',
  summary: 'Responses of the GreyNoise query API, versions 2 and 3.',
  isText: false,
  isWide: true,
  extensions: [],
  read: (text, { primaryKey }) => batches(rows(text, primaryKey)),
}

function* rows(text: string, primaryKey: string): Generator<ReadRow> {
  for (const [place, answer] of answers(text)) yield* rowsOf(answer, place, primaryKey)
}

function* answers(text: string): Generator<[string, JsonValue]> {
  const whole = parseJson(text, { maxDepth: MAX_DEPTH })
  if (whole.kind === 'ok') {
    yield ['the answer', whole.value]
    return
  }
  // Several lines of JSON. An invalid pretty-printed response fails on its first line, with the message about the whole text.
  let isFirst = true
  for (const { line, number } of lines(text)) {
    if (line.trim() === '') continue
    const one = parseJson(line, { maxDepth: MAX_DEPTH })
    if (one.kind === 'failure' && isFirst) throw new TableError(`not a GreyNoise response: ${whole.message}; ${SAVE}`)
    if (one.kind === 'failure') throw new TableError(`not a GreyNoise response in line ${number}: ${one.message}; ${SAVE}`)
    isFirst = false
    yield [`line ${number}`, one.value]
  }
}

function* rowsOf(answer: JsonValue, place: string, primaryKey: string): Generator<ReadRow> {
  if (Array.isArray(answer)) {
    for (const [i, one] of answer.entries()) yield* rowsOf(one as JsonValue, `${place}, element ${i}`, primaryKey)
    return
  }
  if (!isObject(answer)) {
    yield `${place} is not a JSON object`
  } else if (Array.isArray(answer['data'])) {
    for (const [i, one] of (answer['data'] as readonly JsonValue[]).entries())
      yield* rowsOf(one, `${place}, data[${i}]`, primaryKey)
  } else if (typeof answer['ip'] !== 'string') {
    const keys = Object.keys(answer).slice(0, 6).join(', ')
    yield `${place} is not a response about addresses (it has ${keys || 'no keys'}): use community, quick, context, multi, GNQL or v3 IP responses`
  } else {
    const row = rowOfResponse(answer, primaryKey)
    if (row) yield row
    else if (!isKnownShape(answer))
      yield `${place} says nothing about noise: use community, quick, context, multi, GNQL or v3 IP responses`
  }
}

/** The row for a response about one address, of either version; `undefined` if the sensors have not seen it. */
export function rowOfResponse(answer: JsonObject, primaryKey: string): JsonObject | undefined {
  return isObject(answer['internet_scanner_intelligence']) ? version3(answer, primaryKey) : version2(answer, primaryKey)
}

/** Responses with an address that correctly yield no row: neither seen nor a known service. */
function isKnownShape(answer: JsonObject): boolean {
  return ['noise', 'seen', 'riot', 'internet_scanner_intelligence'].some((key) => Object.hasOwn(answer, key))
}

/** community and quick say `noise`, context and GNQL say `seen`; the answer about a service only has `riot`. */
function version2(answer: JsonObject, primaryKey: string): JsonObject | undefined {
  const isNoise = answer['noise'] === true || answer['seen'] === true
  const isService = answer['riot'] === true
  if (!isNoise && !isService) return undefined
  const { ip, raw_data: _, noise: _noise, seen: _seen, metadata, ...rest } = answer
  const row: JsonObject = { ...rest, [primaryKey]: ip, ...(isNoise && { noise: true }), ...(isService && service(ip, answer)) }
  if (isObject(metadata)) {
    row['metadata'] = metadata
    if (row['tor'] === undefined && typeof metadata['tor'] === 'boolean') row['tor'] = metadata['tor']
  }
  return withLink(row, ip)
}

/** The names of version 2, so that one schema and one helper work for both, and the two objects of version 3 as they are. */
function version3(answer: JsonObject, primaryKey: string): JsonObject | undefined {
  const seen = answer['internet_scanner_intelligence'] as JsonObject
  const known = isObject(answer['business_service_intelligence']) ? answer['business_service_intelligence'] : {}
  const isNoise = seen['found'] === true || seen['seen'] === true
  const isService = known['found'] === true
  if (!isNoise && !isService) return undefined
  // The findings are about the address in the scanner block, if it names one.
  const ip = typeof seen['ip'] === 'string' ? seen['ip'] : answer['ip']
  const { raw_data: _, ...scanner } = seen
  const row: JsonObject = {
    ...(isNoise && scannerNames(scanner)),
    [primaryKey]: ip,
    internet_scanner_intelligence: scanner,
    business_service_intelligence: known,
  }
  if (isService) {
    Object.assign(row, service(ip, known), { riot: true })
    if (typeof known['name'] === 'string') row['name'] = known['name']
  }
  return withLink(row, ip)
}

/** What version 3 says of a scanner, by the names of version 2. */
function scannerNames({ found: _, seen: _seen, ip: _ip, cves, tags, metadata, ...rest }: JsonObject): JsonObject {
  const row: JsonObject = { ...rest, noise: true }
  if (cves !== undefined) row['cve'] = cves
  if (Array.isArray(tags))
    row['tags'] = tags.map((tag: JsonValue) => (isObject(tag) && typeof tag['name'] === 'string' ? tag['name'] : tag))
  if (isObject(metadata)) row['metadata'] = { ...metadata, ...(typeof rest['tor'] === 'boolean' ? { tor: rest['tor'] } : {}) }
  return row
}

const OF_SERVICE = ['name', 'category', 'description', 'explanation', 'trust_level', 'reference']

/** What is said of a known service, in the form of Panther's RIOT tables. */
function service(ip: JsonValue | undefined, answer: JsonObject): JsonObject {
  const provider = Object.fromEntries(OF_SERVICE.flatMap((name) => (hasText(answer[name]) ? [[name, answer[name]!]] : [])))
  const time = answer['last_updated'] ?? answer['last_seen']
  return {
    ip_cidr: `${String(ip)}/${String(ip).includes(':') ? 128 : 32}`,
    provider,
    ...(hasText(answer['trust_level']) && { trust_level: String(answer['trust_level']) }),
    ...(hasText(time) && { scan_time: time! }),
  }
}

function hasText(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== ''
}

/** Only the community response contains the link to the address's page, but the page exists for all. */
function withLink(row: JsonObject, ip: JsonValue | undefined): JsonObject {
  if (row['link'] === undefined) row['link'] = `https://viz.greynoise.io/ip/${String(ip)}`
  return row
}
