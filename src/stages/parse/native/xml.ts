import type { JsonObject } from '../../../model/json.ts'
import { addValue } from './add-value.ts'

/** An XML element. Names have no namespace prefix. */
export interface XmlElement {
  readonly name: string
  /** Attribute → value; namespaces are left out. */
  readonly attributes: JsonObject
  readonly children: XmlElement[]
  /** The text directly within it. */
  text: string
}

const MAX_DEPTH = 32

/**
 * The root element of an XML document, or `undefined` if the text is not well-formed XML as event logs write it: document types
 * are refused, so no entities but XML's own are expanded, and nothing outside the text is read.
 */
export function parseXml(text: string): XmlElement | undefined {
  const open: XmlElement[] = []
  let root: XmlElement | undefined
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf('<', at)
    const end = start < 0 ? text.length : start
    if (!addText(open.at(-1), text.slice(at, end))) return undefined
    if (start < 0) break
    const markup = readMarkup(text, start)
    if (!markup) return undefined
    at = markup.end
    if (markup.kind === 'cdata') {
      const parent = open.at(-1)
      if (!parent) return undefined
      parent.text += markup.text
    } else if (markup.kind === 'close') {
      if (open.pop()?.name !== markup.name) return undefined
    } else if (markup.kind === 'open') {
      const { element } = markup
      if (open.length >= MAX_DEPTH || (root && open.length === 0)) return undefined
      root ??= element
      open.at(-1)?.children.push(element)
      if (!markup.isEmpty) open.push(element)
    }
  }
  return open.length === 0 ? root : undefined
}

/** Outside the root element only white space is allowed. */
function addText(parent: XmlElement | undefined, text: string): boolean {
  if (parent) parent.text += unescapeXml(text)
  return parent !== undefined || text.trim() === '' || text.trim() === '\ufeff'
}

type Markup =
  | { readonly kind: 'ignored'; readonly end: number }
  | { readonly kind: 'cdata'; readonly end: number; readonly text: string }
  | { readonly kind: 'close'; readonly end: number; readonly name: string }
  | { readonly kind: 'open'; readonly end: number; readonly element: XmlElement; readonly isEmpty: boolean }

function readMarkup(text: string, start: number): Markup | undefined {
  if (text.startsWith('<!--', start)) return ignored(text, start, '-->')
  if (text.startsWith('<?', start)) return ignored(text, start, '?>')
  if (text.startsWith('<![CDATA[', start)) {
    const end = text.indexOf(']]>', start)
    return end < 0 ? undefined : { kind: 'cdata', end: end + 3, text: text.slice(start + '<![CDATA['.length, end) }
  }
  if (text[start + 1] === '/') {
    const end = text.indexOf('>', start)
    return end < 0 ? undefined : { kind: 'close', end: end + 1, name: localName(text.slice(start + 2, end).trim()) }
  }
  return readOpening(text, start + 1)
}

function ignored(text: string, start: number, close: string): Markup | undefined {
  const end = text.indexOf(close, start)
  return end < 0 ? undefined : { kind: 'ignored', end: end + close.length }
}

function readOpening(text: string, start: number): Markup | undefined {
  let at = endOfName(text, start)
  if (at === start) return undefined
  const element: XmlElement = { name: localName(text.slice(start, at)), attributes: {}, children: [], text: '' }
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at++
    if (text[at] === '>') return { kind: 'open', end: at + 1, element, isEmpty: false }
    if (text.startsWith('/>', at)) return { kind: 'open', end: at + 2, element, isEmpty: true }
    const nameEnd = endOfName(text, at)
    const quote = text[nameEnd + 1]
    if (nameEnd === at || text[nameEnd] !== '=' || (quote !== '"' && quote !== "'")) return undefined
    const end = text.indexOf(quote, nameEnd + 2)
    if (end < 0) return undefined
    const name = text.slice(at, nameEnd)
    if (!name.startsWith('xmlns')) addValue(element.attributes, localName(name), unescapeXml(text.slice(nameEnd + 2, end)))
    at = end + 1
  }
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}

function endOfName(text: string, start: number): number {
  let at = start
  while (at < text.length && !isSpace(text.charCodeAt(at)) && !'<>/="\'!?'.includes(text[at]!)) at++
  return at
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** An entity that XML does not define is left as it is. */
function unescapeXml(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(#x?[\da-fA-F]{1,6}|[a-z]{2,4});/g, (whole, name: string) => {
    if (!name.startsWith('#')) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : whole
    const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return Number.isInteger(code) && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole
  })
}
