import type { Reading } from './format.ts'

/** A first value that Zeek writes as a time (its test baselines mask the digits), and what separates it from the next. */
const BEGINS_WITH_TIME = /^[\dX]{9,11}\.[\dX]{1,9}[^\w.]/

/** A line that no format recognises: a table row whose header is missing, or not a log at all. */
export function stray(line: string): Reading {
  const tabs = line.split('\t', 4).length - 1
  if (tabs >= 3 || BEGINS_WITH_TIME.test(line)) {
    const message =
      'this looks like a row of a table, but no header (Zeek: #separator, #fields, #types) came before it: send the file from its beginning'
    return { kind: 'dead-letter', reason: 'no_header', message }
  }
  const message = 'this is neither JSON nor a row of a Zeek log: it is either not a log, or in a format that Caracal cannot parse'
  return { kind: 'dead-letter', reason: 'not_a_log', message }
}
