import type { JsonObject } from '../../../../../model/json.ts'
import { setField, setSource } from '../fields.ts'
import { isDigit } from '../text.ts'

/** A remote end as sshd writes it, and the text before it. */
export interface Endpoint {
  readonly before: string
  readonly fields: JsonObject
}

/**
 * The remote end in `… <joint><address>[ port <number>]<tail>`, or `undefined`. Users choose their names, but sshd writes the
 * address after them: the last one counts. What it writes after the address may have been chosen by users, too: a tail begins
 * at the first of `tails`, and if another address is then the last one, neither is trusted.
 */
export function endpointIn(text: string, joint: string, tails: readonly string[]): Endpoint | undefined {
  const whole = lastEndpoint(text, joint)
  const tail = tails.map((mark) => text.indexOf(mark)).find((at) => at >= 0)
  const head = tail === undefined ? undefined : lastEndpoint(text.slice(0, tail), joint)
  if (!whole || !head) return whole ?? head
  return JSON.stringify(whole) === JSON.stringify(head) ? whole : undefined
}

function lastEndpoint(text: string, joint: string): Endpoint | undefined {
  const fields: JsonObject = {}
  const port = text.lastIndexOf(' port ')
  if (port >= 0 && !setField(fields, 'source_port', digitsAt(text, port + ' port '.length))) return undefined
  const at = text.lastIndexOf(joint, port < 0 ? undefined : port - joint.length)
  if (at < 0) return undefined
  const start = at + joint.length
  const address = port < 0 ? addressAt(text, start) : text.slice(start, port)
  return address !== '' && setSource(fields, address) ? { before: text.slice(0, at), fields } : undefined
}

function digitsAt(text: string, start: number): string {
  let end = start
  while (isDigit(text.charCodeAt(end))) end++
  return text.slice(start, end) || '?'
}

function addressAt(text: string, start: number): string {
  const space = text.indexOf(' ', start)
  const word = text.slice(start, space < 0 ? text.length : space)
  return word.endsWith(':') || word.endsWith(',') ? word.slice(0, -1) : word
}
