import { JsonScanner, MORE } from '../../../util/json-scanner.ts'
import { isSpace } from './search.ts'
import { CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE } from './text-walk.ts'

/** The list of an envelope begins within this many bytes, or it is not one. */
const MAX_OPENING_BYTES = 64 * 1024
const MAX_NAME_BYTES = 256
const COLON = 0x3a

/** Texts of the members before the current one. */
type Before = ReadonlyMap<string, string>

/**
 * Well-known envelopes by the member with their list: whether what comes before it shows which service has written them.
 * - `Records`: CloudTrail and notifications of S3. `records`: Azure's diagnostic logs. Nothing comes before them.
 * - `entries`: Google Cloud Logging, if the first entry has a `logName`. Nothing comes before them.
 * - `items`: lists of Kubernetes audit events, activities of Google Workspace.
 * - `value`: Microsoft Graph and other services that speak OData.
 */
const KNOWN: Readonly<Record<string, (before: Before) => boolean>> = {
  Records: (before) => before.size === 0,
  records: (before) => before.size === 0,
  entries: (before) => before.size === 0,
  items: (before) =>
    (before.get('apiVersion')?.startsWith('audit.k8s.io/') ?? false) || before.get('kind') === 'admin#reports#activities',
  value: (before) => before.has('@odata.context'),
}

/** First members of well-known envelopes other than the list, with the values that they may have. */
const FIRST: Readonly<Record<string, RegExp>> = {
  kind: /^(EventList|admin#reports#activities)$/,
  apiVersion: /^audit\.k8s\.io\//,
  '@odata.context': /^/,
}

export interface OpeningOptions {
  /** Names of members, the last one's value is the list. Default: those of well-known envelopes. */
  readonly path: readonly string[] | undefined
  /** Nothing follows the bytes, but a list that begins at their end is one. */
  readonly endsHere: boolean
}

/**
 * Where the elements of the list begin in the envelope at `start`, an opening bracket; `MORE` if more bytes are needed to see that;
 * `undefined` if there is no envelope.
 */
export function openingOf(bytes: Buffer, start: number, { path, endsHere }: OpeningOptions): number | undefined {
  const limit = Math.min(bytes.length, start + MAX_OPENING_BYTES)
  const isCut = limit === bytes.length
  const head = new Members(bytes, start, limit)
  const before = new Map<string, string>()
  for (let depth = 0; head.next(); ) {
    const { name, at } = head
    const opens = bytes[at]
    if (path ? name === path[depth] : Object.hasOwn(KNOWN, name) && KNOWN[name]!(before)) {
      if (path && depth < path.length - 1 && opens === OPEN_OBJECT) {
        head.enter()
        depth++
        continue
      }
      if (opens !== OPEN_LIST) return undefined
      const isKnown = path || name !== 'entries' || isLogEntry(bytes, at, limit)
      if (isKnown === undefined && !endsHere) return isCut ? MORE : undefined
      if (isKnown === false) return undefined
      return elementsAt(bytes, at, !path, endsHere)
    }
    const text = opens === QUOTE ? head.text() : undefined
    if (!path && before.size === 0 && !(Object.hasOwn(FIRST, name) && (text === undefined || FIRST[name]!.test(text))))
      return undefined
    if (!head.skip()) break
    before.set(name, text ?? '')
  }
  return head.isBroken || !isCut ? undefined : MORE
}

/** Whether the first element of a list is an entry of Cloud Logging; `undefined` if that cannot be seen yet. */
function isLogEntry(bytes: Buffer, list: number, limit: number): boolean | undefined {
  const first = afterSpace(bytes, list + 1)
  if (first >= limit) return undefined
  if (bytes[first] !== OPEN_OBJECT) return false
  const end = new JsonScanner().scan(bytes.subarray(0, limit), first)
  if (bytes.subarray(first, end < 0 ? limit : end).includes('"logName"')) return true
  return end === MORE ? undefined : false
}

/** After the bracket of a list. Well-known lists consist of objects. */
function elementsAt(bytes: Buffer, list: number, ofObjects: boolean, endsHere: boolean): number | undefined {
  const first = afterSpace(bytes, list + 1)
  if (first === bytes.length) return endsHere ? list + 1 : MORE
  return !ofObjects || bytes[first] === OPEN_OBJECT || bytes[first] === CLOSE_LIST ? list + 1 : undefined
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  return at
}

/** A walk over the members of an object. It ends at what is not a member, or where more bytes are needed. */
class Members {
  name = ''
  /** Where the value of the current member begins. */
  at = 0
  /** It ended at what is not a member. */
  isBroken = false
  readonly #bytes: Buffer
  #next: number

  constructor(bytes: Buffer, start: number, limit: number) {
    this.#bytes = bytes.subarray(0, limit)
    this.#next = start + 1
  }

  /** Goes on to the next member. False if it cannot be seen. */
  next(): boolean {
    const bytes = this.#bytes
    const quote = afterSpace(bytes, this.#next)
    if (quote === bytes.length) return false
    const end = bytes[quote] === QUOTE ? bytes.indexOf(QUOTE, quote + 1) : -1
    const isName = bytes[quote] === QUOTE && (end < 0 ? bytes.length : end) - quote <= MAX_NAME_BYTES
    if (!isName) return this.#broken()
    if (end < 0) return false
    this.name = bytes.toString('utf8', quote + 1, end)
    const colon = afterSpace(bytes, end + 1)
    if (colon < bytes.length && bytes[colon] !== COLON) return this.#broken()
    this.at = afterSpace(bytes, colon + 1)
    return this.at < bytes.length
  }

  /** Continues with the members of the current value, an object. */
  enter(): void {
    this.#next = this.at + 1
  }

  /** The current value as text if it is a short string without escapes. */
  text(): string | undefined {
    const end = this.#bytes.indexOf(QUOTE, this.at + 1)
    return end < 0 || end - this.at > MAX_NAME_BYTES ? undefined : this.#bytes.toString('utf8', this.at + 1, end)
  }

  /** Goes behind the current value. False if there is no other member, or none that can be seen. */
  skip(): boolean {
    const end = new JsonScanner().scan(this.#bytes, this.at)
    if (end === MORE) return false
    const comma = end < 0 ? end : afterSpace(this.#bytes, end)
    if (comma === this.#bytes.length) return false
    if (end < 0 || this.#bytes[comma] === CLOSE_OBJECT || this.#bytes[comma] !== COMMA) return this.#broken()
    this.#next = comma + 1
    return true
  }

  #broken(): false {
    this.isBroken = true
    return false
  }
}
