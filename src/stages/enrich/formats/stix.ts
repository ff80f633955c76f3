import { isObject, type JsonObject, type JsonValue } from '../../../model/json.ts'
import { parseJson } from '../../../util/json.ts'
import { TableError } from '../table.ts'
import { batches, type Format, type ReadRow } from './format.ts'

const MAX_DEPTH = 64
/** Maximum length of an indicator's pattern, in characters. */
const MAX_PATTERN = 5000

/**
 * A comparison in a pattern: `ipv4-addr:value = '192.0.2.1'`. How comparisons are combined (`AND`, `FOLLOWEDBY`) is ignored: each value is
 * looked up as an indicator by itself.
 * The expression can match a text in at most one way, so no pattern takes longer than a few passes.
 */
const COMPARISON = /(?<![a-z0-9-])([a-z0-9-]+):([\w.'-]+(?:\x20[\w.'-]+)*)\s*=\s*'((?:[^'\\]|\\.)*)'/g

/** The compared property → the kind of indicator, `type` in the row. */
const KINDS: readonly (readonly [object: RegExp, path: RegExp, kind: string])[] = [
  [/^ipv[46]-addr$/, /^value$/, 'ip'],
  [/^domain-name$/, /^value$/, 'domain'],
  [/^url$/, /^value$/, 'url'],
  [/^email-addr$/, /^value$/, 'email'],
  [/^(?:file|artifact)$/, /^hashes\.'?MD5'?$/i, 'md5'],
  [/^(?:file|artifact)$/, /^hashes\.'?SHA-?1'?$/i, 'sha1'],
  [/^(?:file|artifact)$/, /^hashes\.'?SHA-?256'?$/i, 'sha256'],
]

/** Properties of an indicator that become columns. */
const COLUMNS = ['id', 'name', 'description', 'indicator_types', 'labels', 'confidence', 'valid_from', 'valid_until'] as const

/** A STIX 2.1 bundle: a row for each value in an indicator's pattern; revoked indicators are left out. */
export const stix: Format = {
  type: 'stix',
  summary:
    'A STIX 2.1 bundle: the values that its indicators compare with, each with its `type` (ip, domain, url, email, md5, sha1, sha256).',
  isText: false,
  isWide: true,
  extensions: [],
  read: (text, { primaryKey }) => batches(rows(text, primaryKey)),
}

function* rows(text: string, primaryKey: string): Generator<ReadRow> {
  const read = parseJson(text, { maxDepth: MAX_DEPTH })
  if (read.kind === 'failure') throw new TableError(`not a STIX bundle: ${read.message}`)
  const objects = isObject(read.value) ? read.value['objects'] : undefined
  if (!Array.isArray(objects)) throw new TableError('not a STIX bundle: it has no `objects`')
  for (const [i, object] of (objects as readonly JsonValue[]).entries()) {
    if (!isObject(object)) yield `object ${i} of the bundle is no object`
    else if (object['type'] === 'indicator' && object['revoked'] !== true) yield* rowsOf(object, primaryKey)
  }
}

function* rowsOf(indicator: JsonObject, primaryKey: string): Generator<ReadRow> {
  const { pattern, pattern_type: language = 'stix' } = indicator
  if (typeof pattern !== 'string' || language !== 'stix') {
    yield `the indicator ${String(indicator['id'])} has no pattern in the language of STIX`
    return
  }
  if (pattern.length > MAX_PATTERN) {
    yield `the pattern of the indicator ${String(indicator['id'])} has more than ${MAX_PATTERN} characters`
    return
  }
  const about = Object.fromEntries(COLUMNS.flatMap((name) => (indicator[name] === undefined ? [] : [[name, indicator[name]]])))
  let isAny = false
  for (const [, object, path, value] of pattern.matchAll(COMPARISON)) {
    const kind = KINDS.find(([objects, paths]) => objects.test(object!) && paths.test(path!))?.[2]
    if (kind === undefined) continue
    isAny = true
    yield { ...about, type: kind, [primaryKey]: value!.replaceAll(/\\(.)/g, '$1') }
  }
  if (!isAny) yield `the pattern of the indicator ${String(indicator['id'])} compares with nothing that can be looked up`
}
