/**
 * Access to the parser's syntax tree. Its nodes are those of https://docs.rs/sqlparser (`sqlparser::ast`) as serialised by serde: a case
 * with content is `{ Case: content }`, one without is `'Case'`, missing parts are null.
 */
export type Node = unknown

/** A node's case and content. */
export function variant(node: Node): { readonly tag: string; readonly body: Node } {
  if (typeof node === 'string') return { tag: node, body: undefined }
  if (typeof node !== 'object' || node === null) return { tag: '', body: undefined }
  const [entry] = Object.entries(node)
  return entry ? { tag: entry[0], body: entry[1] } : { tag: '', body: undefined }
}

/** A part of a node; undefined if it is missing. */
export function part(node: Node, name: string): Node {
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return undefined
  return (node as Readonly<Record<string, unknown>>)[name] ?? undefined
}

/** The members of a list; empty if it is missing. */
export function list(node: Node): readonly Node[] {
  return Array.isArray(node) ? node : []
}

/** The names of the parts of `node` that have a value (not false, not empty). */
export function present(node: Node): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node)
    .filter(
      ([, value]) => value !== null && value !== false && value !== undefined && !(Array.isArray(value) && value.length === 0),
    )
    .map(([name]) => name)
}

/** A name in the query. */
export interface Name {
  readonly text: string
  /** Written in double quotes, so it is case-sensitive. */
  readonly quoted: boolean
}

/** The `Ident` node as a name. */
export function nameOf(ident: Node): Name {
  const text = part(ident, 'value')
  return { text: typeof text === 'string' ? text : '', quoted: part(ident, 'quote_style') !== undefined }
}

/** An `ObjectName` (`a.b.c`) as its names. */
export function namesOf(objectName: Node): Name[] {
  return list(objectName).map((piece) => nameOf(part(piece, 'Identifier')))
}

/** The text of a string literal. */
export function textLiteral(expression: Node): string | undefined {
  const { tag, body } = variant(expression)
  if (tag !== 'Value') return undefined
  const value = variant(part(body, 'value'))
  const isText = value.tag === 'SingleQuotedString' || value.tag === 'DollarQuotedString'
  const text = typeof value.body === 'object' ? part(value.body, 'value') : value.body
  return isText && typeof text === 'string' ? text : undefined
}

/** A whole number written as such, optionally with a minus sign. */
export function integerLiteral(expression: Node): number | undefined {
  const { tag, body } = variant(expression)
  if (tag === 'UnaryOp' && part(body, 'op') === 'Minus') {
    const value = integerLiteral(part(body, 'expr'))
    return value === undefined ? undefined : -value
  }
  if (tag !== 'Value') return undefined
  const digits = list(part(part(body, 'value'), 'Number'))[0]
  return typeof digits === 'string' && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined
}
