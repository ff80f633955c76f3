import type { TextDecoder } from './decoder.ts'
import { isSpace, Occurrences } from './search.ts'
import type { TextWalk } from './text-walk.ts'

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f

/** Markup whose content is not looked at, with its end. */
const OPAQUE = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const
const LONGEST_OPENING = 9

/** Elements with the name that the source gives, each with all that is in it. Tags around them are skipped. */
export const xml: TextDecoder = {
  kind: 'text',
  type: 'xml',
  summary: 'XML: each element with the source’s name is a record; what is around them is skipped.',
  types: ['xml'],
  example: {
    stream: 'type=xml&element=Event',
    body: '<?xml version="1.0"?>\n<Events>\n<Event a="1"><x/>\n<![CDATA[</Event>]]></Event><Event/>\n<Eventual/></Events>\n',
    records: ['<Event a="1"><x/>\n<![CDATA[</Event>]]></Event>', '<Event/>'],
  },
  begins: (walk) => walk.bytes[walk.at] === LESS,
  step(walk) {
    const { bytes, at, final } = walk
    const name = walk.stream.element ?? 'Event'
    const end = isTag(bytes, at, `<${name}`, final) ? endOfElement(walk, name) : endOfMarkup(walk, at)
    if (end === undefined && !final) return walk.wait('line')
    walk.isPlain = false
    // Broken off: the rest is one record.
    if (end === undefined) return walk.emit(at, walk.trimmed(bytes.length), bytes.length)
    if (isTag(bytes, at, `<${name}`, final)) return walk.emit(at, walk.trimmed(end), end)
    walk.begin(end)
    return true
  },
}

/** Whether a tag with exactly this name is here. */
function isTag(bytes: Buffer, at: number, opening: string, final: boolean): boolean {
  const after = at + opening.length
  if (!bytes.subarray(at, after).equals(Buffer.from(opening))) return false
  const byte = bytes[after]
  return byte === undefined ? !final : byte === GREATER || byte === SLASH || isSpace(byte)
}

/** After the closing tag of the element at `walk.at`, or before another element of that name, if it is missing; `undefined`: neither is there. */
function endOfElement(walk: TextWalk, name: string): number | undefined {
  const { bytes } = walk
  const first = endOfMarkup(walk, walk.at)
  if (first === undefined || bytes[first - 2] === SLASH) return first
  const tags = new Occurrences(bytes, LESS)
  for (let at = first; ; ) {
    at = tags.from(at)
    const end = at < 0 ? undefined : endOfMarkup(walk, at)
    if (end === undefined) return undefined
    if (isTag(bytes, at, `</${name}`, true)) return end
    if (isTag(bytes, at, `<${name}`, true)) return at
    at = end
  }
}

/** After the tag, comment or instruction at `at`; `undefined` if its end is not there. */
function endOfMarkup({ bytes, final }: TextWalk, at: number): number | undefined {
  if (bytes.length - at < LONGEST_OPENING && !final) return undefined
  const head = bytes.toString('latin1', at, at + LONGEST_OPENING)
  const [opening, closing] = OPAQUE.find(([begin]) => head.startsWith(begin)) ?? ['<', undefined]
  if (closing === undefined) return endOfTag(bytes, at)
  const end = bytes.indexOf(closing, at + opening.length)
  return end < 0 ? undefined : end + closing.length
}

/** A tag ends with a bracket that is not in quotes. */
function endOfTag(bytes: Buffer, at: number): number | undefined {
  let quote = 0
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (quote !== 0) {
      if (byte === quote) quote = 0
    } else if (byte === 0x22 || byte === 0x27) quote = byte
    else if (byte === GREATER) return i + 1
  }
  return undefined
}
