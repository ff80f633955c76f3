import type { Reading } from './format.ts'

/** A first value that Zeek writes as a time (its test baselines mask the digits), and what separates it from the next. */
const BEGINS_WITH_TIME = /^[\dX]{9,11}\.[\dX]{1,9}[^\w.]/

/** A text that is in no known format. What begins like an object is a damaged record rather than a message. */
export function isMessage(line: string, reading: Reading | undefined): boolean {
  return reading === undefined || (reading.kind === 'dead-letter' && !/^\s*\{/.test(line))
}

/** A line that no format recognises: a table row whose header is missing, or not a log at all. */
export function stray(line: string): Reading {
  const tabs = line.split('\t', 4).length - 1
  if (tabs >= 3 || BEGINS_WITH_TIME.test(line)) {
    const message =
      'this looks like a row of a table, but no header (Zeek: #separator, #fields, #types) came before it: send the file from its beginning'
    return { kind: 'dead-letter', reason: 'no_header', message }
  }
  const message =
    'this is text in no format that is recognised by itself. If it is a log, name its log type (`log_types` of the source, `--log-type`); for a format of your own, write a schema with a parser (docs/schemas.md)'
  return { kind: 'dead-letter', reason: 'not_a_log', message }
}
