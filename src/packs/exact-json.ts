import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  visit,
  type YAMLMap,
} from 'yaml'

/** Maximum length of a document: aliases that blow up (a «billion laughs») are refused, not built. */
const MAX_CHARS = 16 * 1024 * 1024
const MAX_DEPTH = 200
const MAX_ALIASES = 2000

/** A value that JSON cannot represent; `node` has its position. */
export class NotJson extends Error {
  readonly node: Node | undefined

  constructor(message: string, node: Node | undefined) {
    super(message)
    this.node = node
  }
}

/**
 * The JSON text of a YAML document, written from its tokens: integers of any size keep their digits, and a float with an integral value
 * stays a float (`1.666275403e+12`), so that Python sees the types in the YAML. A string found in `marks` is replaced by its JSON text.
 * Below a top-level `Tests`, floats that JSON lacks are written in a form that Python reads: `NaN`, and infinity as `1e999`. Throws
 * `NotJson`.
 */
export function exactJson(document: Document, node: Node | undefined, marks: ReadonlyMap<string, string> = new Map()): string {
  let chars = 0
  let aliases = 0
  let isTest = false
  let targets: ReadonlyMap<Alias, Node> | undefined
  const entries = new Map<YAMLMap, ReadonlyMap<string, unknown>>()

  /** Counts a new text; combining texts that are already counted costs one more. */
  function add(text: string, length = text.length): string {
    chars += length
    if (chars > MAX_CHARS) throw new NotJson(`the value is longer than ${MAX_CHARS} characters: make it smaller`, undefined)
    return text
  }

  function write(value: unknown, depth: number): string {
    if (depth > MAX_DEPTH) throw new NotJson(`nested deeper than ${MAX_DEPTH} levels`, undefined)
    if (value === null || value === undefined) return add('null')
    if (isAlias(value)) return write(targetOf(value), depth + 1)
    if (isMap(value)) return writeMap(value, depth)
    if (isSeq(value)) return `[${value.items.map((item) => write(item, depth + 1)).join(add(','))}]`
    if (isScalar(value)) return add(marks.get(value.value as string) ?? scalarText(value, isTest))
    throw new NotJson('this is not a JSON value', undefined)
  }

  function writeMap(map: YAMLMap, depth: number): string {
    const members: string[] = []
    for (const [key, value] of entriesOf(map, depth)) {
      if (depth === 0) isTest = key === 'Tests'
      members.push(`${add(JSON.stringify(key))}:${write(value, depth + 1)}`)
    }
    return add(`{${members.join(',')}}`, 1)
  }

  /** Members of a map, merged ones first. Its own take precedence, then those of a later `<<`, in a list those of an earlier map. */
  function entriesOf(map: YAMLMap, depth: number): ReadonlyMap<string, unknown> {
    const known = entries.get(map)
    if (known) return known
    if (depth > MAX_DEPTH) throw new NotJson(`merged over more than ${MAX_DEPTH} levels`, map)
    const found = new Map<string, unknown>()
    const sources = map.items.filter(isMergeKey).flatMap((pair) => mergedMaps(pair).reverse())
    for (const source of sources) {
      for (const [key, value] of entriesOf(source, depth + 1)) {
        // Members that are hidden later count too.
        add('', 1)
        found.set(key, value)
      }
    }
    for (const pair of map.items) if (!isMergeKey(pair)) found.set(keyText(pair), pair.value)
    entries.set(map, found)
    return found
  }

  function mergedMaps(pair: Pair): YAMLMap[] {
    const value = isAlias(pair.value) ? targetOf(pair.value) : pair.value
    const list = isSeq(value) ? value.items : [value]
    return list.map((item) => {
      const map = isAlias(item) ? targetOf(item) : item
      if (!isMap(map)) throw new NotJson('`<<` needs a map, or a list of maps', pair.key as Node)
      return map
    })
  }

  function targetOf(alias: Alias): Node {
    aliases += 1
    if (aliases > MAX_ALIASES) throw new NotJson(`more than ${MAX_ALIASES} aliases: write values out`, alias)
    targets ??= aliasTargets(document)
    const target = targets.get(alias)
    if (target) return target
    throw new NotJson(`'*${alias.source}' refers to nothing: there is no '&${alias.source}' before it`, alias)
  }

  return write(node, 0)
}

/** The target of each alias: the last node before it with its name. */
function aliasTargets(document: Document): Map<Alias, Node> {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node>()
  visit(document, {
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node)
    },
    Alias(_key, alias) {
      const node = anchors.get(alias.source)
      if (node) targets.set(alias, node)
    },
  })
  return targets
}

function keyText(pair: Pair): string {
  if (!isPair(pair) || !isScalar(pair.key)) throw new NotJson('a key must be a string', undefined)
  const { value, source } = pair.key
  return typeof value === 'string' ? value : (source ?? String(value))
}

/** `<<: *base`, which the content format has from YAML 1.1. */
function isMergeKey(pair: Pair): boolean {
  const key = pair.key
  if (!isScalar(key) || (key.type !== undefined && key.type !== Scalar.PLAIN)) return false
  return key.value === '<<' || (typeof key.value === 'symbol' && key.value.description === '<<')
}

function scalarText(scalar: Scalar, isTest: boolean): string {
  const { value, source } = scalar
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'number') throw new NotJson('this is not a JSON value: write it as a quoted string', scalar)
  if (Number.isFinite(value)) return floatText(source?.includes(':') ? String(value) : (source ?? String(value)))
  if (!isTest) throw new NotJson(`${source ?? value} has no JSON form: write it as a quoted string`, scalar)
  return Number.isNaN(value) ? 'NaN' : value < 0 ? '-1e999' : '1e999'
}

/** A YAML float as a JSON number that still reads as a float: `.5` → `0.5`, `5.` → `5.0`, `+1.5` → `1.5`, `1_0.5` → `10.5`. */
function floatText(text: string): string {
  const source = text.replaceAll('_', '')
  const [, sign = '', whole = '', fraction = '', exponent = ''] = /^([-+]?)(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/.exec(source) ?? []
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  const point = fraction ? `.${fraction}` : exponent ? '' : '.0'
  return `${sign === '-' ? '-' : ''}${digits}${point}${exponent}`
}
