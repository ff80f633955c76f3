import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair, Scalar, type YAMLMap } from 'yaml'

/** A document is at most this long: aliases that blow up (a «billion laughs») are refused, not built. */
const MAX_CHARS = 16 * 1024 * 1024
const MAX_DEPTH = 200
const MAX_ALIASES = 2000

/** A value that JSON cannot hold; `node` tells where. */
export class NotJson extends Error {
  readonly node: Node | undefined

  constructor(message: string, node: Node | undefined) {
    super(message)
    this.node = node
  }
}

/**
 * The JSON text of a YAML node, written from its tokens: integers of any size keep their digits, and a float with an
 * integral value stays a float (`1.666275403e+12`), so that Python sees the types that the YAML says. A string found
 * in `marks` stands for the JSON text there. Throws `NotJson`.
 */
export function exactJson(document: Document, node: Node | undefined, marks: ReadonlyMap<string, string> = new Map()): string {
  let chars = 0
  let aliases = 0

  /** Counts a text that is new; what is put together from counted texts costs one more. */
  function add(text: string, length = text.length): string {
    chars += length
    if (chars > MAX_CHARS) throw new NotJson(`the value is longer than ${MAX_CHARS} characters: make it smaller`, undefined)
    return text
  }

  function write(value: unknown, depth: number): string {
    if (depth > MAX_DEPTH) throw new NotJson(`nested deeper than ${MAX_DEPTH} levels`, undefined)
    if (value === null || value === undefined) return add('null')
    if (isAlias(value)) {
      aliases += 1
      if (aliases > MAX_ALIASES) throw new NotJson(`more than ${MAX_ALIASES} aliases: write values out`, value)
      return write(value.resolve(document), depth + 1)
    }
    if (isMap(value)) return writeMap(value, depth)
    if (isSeq(value)) return `[${value.items.map((item) => write(item, depth + 1)).join(add(','))}]`
    if (isScalar(value)) return add(marks.get(value.value as string) ?? scalarText(value))
    throw new NotJson('this is not a JSON value', undefined)
  }

  function writeMap(map: YAMLMap, depth: number): string {
    const members = new Map<string, string>()
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        for (const merged of mergedMaps(document, pair)) {
          for (const inner of merged.items) {
            const key = keyText(inner)
            if (!members.has(key) && !map.has(key)) members.set(key, write(inner.value, depth + 1))
          }
        }
      } else {
        members.set(keyText(pair), write(pair.value, depth + 1))
      }
    }
    return add(`{${[...members].map(([key, text]) => `${add(JSON.stringify(key))}:${text}`).join(',')}}`, 1)
  }

  return write(node, 0)
}

function keyText(pair: Pair): string {
  if (!isPair(pair) || !isScalar(pair.key)) throw new NotJson('a key must be a string', undefined)
  const { value, source } = pair.key
  return typeof value === 'string' ? value : (source ?? String(value))
}

/** `<<: *base`, which the content format knows from YAML 1.1. */
function isMergeKey(pair: Pair): boolean {
  const key = pair.key
  if (!isScalar(key) || (key.type !== undefined && key.type !== Scalar.PLAIN)) return false
  return key.value === '<<' || (typeof key.value === 'symbol' && key.value.description === '<<')
}

function mergedMaps(document: Document, pair: Pair): YAMLMap[] {
  const value = isAlias(pair.value) ? pair.value.resolve(document) : pair.value
  const list = isSeq(value) ? value.items : [value]
  return list.map((item) => {
    const map = isAlias(item) ? item.resolve(document) : item
    if (!isMap(map)) throw new NotJson('`<<` needs a map', undefined)
    return map
  })
}

function scalarText(scalar: Scalar): string {
  const { value } = scalar
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'number') throw new NotJson('this is not a JSON value: write it as a quoted string', scalar)
  if (!Number.isFinite(value))
    throw new NotJson(`${scalar.source ?? value} has no JSON form: write it as a quoted string`, scalar)
  return floatText(scalar.source ?? String(value))
}

/** A YAML float as a JSON number that still reads as a float: `.5` → `0.5`, `5.` → `5.0`, `+1.5` → `1.5`. */
function floatText(source: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = ''] = /^([-+]?)(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/.exec(source) ?? []
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  const point = fraction ? `.${fraction}` : exponent ? '' : '.0'
  return `${sign === '-' ? '-' : ''}${digits}${point}${exponent}`
}
