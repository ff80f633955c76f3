import { type Document, isAlias, isCollection, isMap, isNode, isScalar, parseDocument, visit } from 'yaml'
import { messageOf } from '../util/errors.ts'
import { exactJson, NotJson } from './exact-json.ts'
import { takeOutJsonLogs, type Unburdened } from './json-logs.ts'
import { JsonText, jsonValue, type Path } from './json-text.ts'
import { indentContinuations } from './yaml-indent.ts'
import { contentTags } from './yaml-scalars.ts'

/** A YAML text that cannot be read. */
export class YamlError extends Error {
  readonly line: number | undefined

  constructor(message: string, line: number | undefined) {
    super(message)
    this.line = line
  }
}

// The schema is set explicitly so that a `%YAML` line does not choose another one.
export const YAML_OPTIONS = {
  schema: 'core',
  customTags: contentTags,
  merge: true,
  prettyErrors: false,
  logLevel: 'error',
} as const

/**
 * The exact JSON text of a YAML text (scalars as in `contentTags`; `<<` merges), on one line: integers of any size and floats keep their
 * digits. Throws `YamlError` for invalid YAML, and for values that JSON does not have (`exactJson`).
 */
export function readYaml(text: string): string {
  const light = takeOutJsonLogs(text)
  const read = parse(light)
  // A mark is in a place other than a test event (within a text block): read everything the slow way.
  if (light.logs.size > 0 && countMarks(read.document, light.logs) !== light.logs.size) {
    return toJson(parse({ text, prefix: light.prefix, logs: new Map() }))
  }
  return toJson(read)
}

/** A YAML file as plain data that still knows its lines and its numbers' digits. */
export class YamlFile {
  /** The document as plain data; integers beyond ±2^53 are BigInt. */
  readonly value: unknown
  readonly #text: string
  readonly #json: JsonText
  #read: Read | undefined

  /** `json` is the result of `readYaml` for the text, if it is known. Throws `YamlError`. */
  constructor(text: string, json: string = readYaml(text)) {
    this.#text = text
    this.#json = new JsonText(json)
    try {
      this.value = jsonValue(json)
    } catch (error) {
      throw new YamlError(messageOf(error), undefined)
    }
  }

  /** Line of the value at a path, or of the nearest enclosing value that exists. With `key`: of the key itself. */
  line(path: Path, key?: string): number | undefined {
    // Only mistakes need lines: files without any are never read twice.
    this.#read ??= parse(takeOutJsonLogs(this.#text))
    const offset = offsetOf(this.#read.document, key === undefined ? path : [...path, key])
    return offset === undefined ? undefined : lineOfOffset(this.#read.text, offset)
  }

  /** Exact JSON text of the value at a path; `null` if there is none. */
  json(path: Path): string {
    return this.#json.slice(path) ?? 'null'
  }

  /** A scalar as written (`3.10` stays `3.10`), or `undefined` if there is none. */
  source(path: Path): string | undefined {
    const text = this.#json.slice(path)
    return text?.startsWith('"') ? (JSON.parse(text) as string) : text
  }
}

interface Read {
  readonly document: Document
  readonly logs: ReadonlyMap<string, string>
  readonly text: string
}

function parse(given: Unburdened): Read {
  try {
    return parseStrictly(given)
  } catch (error) {
    const text = indentContinuations(given.text)
    if (text === undefined) throw error
    try {
      return parseStrictly({ ...given, text })
    } catch {
      throw error
    }
  }
}

function parseStrictly({ text, logs }: Unburdened): Read {
  try {
    const document = parseDocument(text, YAML_OPTIONS)
    // To the reader an unknown tag is only a warning, but its meaning would be guessed.
    const error = document.errors[0] ?? document.warnings.find(({ code }) => code === 'TAG_RESOLVE_FAILED')
    if (error) throw new YamlError(readable(error), lineOfOffset(text, error.pos[0]))
    return { document, logs, text }
  } catch (error) {
    if (error instanceof YamlError) throw error
    throw new YamlError(readable(error), undefined)
  }
}

function toJson({ document, logs, text }: Read): string {
  try {
    return exactJson(document, isNode(document.contents) ? document.contents : undefined, logs)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    const at = error.node?.range?.[0]
    throw new YamlError(error.message, at === undefined ? undefined : lineOfOffset(text, at))
  }
}

/** Marks that are whole values, where an object may be. */
function countMarks(document: Document, logs: ReadonlyMap<string, string>): number {
  let found = 0
  visit(document, {
    Scalar(_key, { value }) {
      if (typeof value === 'string' && logs.has(value)) found += 1
    },
  })
  return found
}

function offsetOf(document: Document, path: Path): number | undefined {
  let node: unknown = document.contents
  let offset = isNode(node) ? node.range?.[0] : undefined
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (!isCollection(node)) break
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      : undefined
    const next = pair ? pair.value : node.get(step, true)
    if (next === undefined && !pair) break
    const place = pair && isNode(pair.key) ? pair.key : next
    offset = (isNode(place) ? place.range?.[0] : undefined) ?? offset
    node = next
  }
  return offset
}

/** The reader is recursive; its message about a stack overflow would not help the user. */
function readable(error: unknown): string {
  const message = messageOf(error)
  return message.includes('Maximum call stack') ? 'not usable YAML: it is nested too deeply' : `not valid YAML: ${message}`
}

function lineOfOffset(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}
