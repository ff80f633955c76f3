import type { JsonObject } from '../../../model/json.ts'
import { addValue } from './add-value.ts'
import { openingOf, readColumns } from './cef.ts'
import type { NativeParser } from './native.ts'

const HEADER = ['leefVersion', 'vendor', 'product', 'version', 'eventId'] as const

/**
 * IBM QRadar's Log Event Extended Format. Attributes are fields of the record, named as in the message (`src`, `usrName`). They
 * are separated by tabs or, in version 2, by the character that the header names.
 *
 * Described in IBM's "LEEF event components".
 */
export const leef: NativeParser = {
  type: 'leef',
  summary: 'Log Event Extended Format of QRadar, versions 1 and 2, with or without a syslog header.',
  example: {
    texts: [
      'LEEF:1.0|Example|Guard|4.0.1|login|src=192.0.2.1\tusrName=alice\tmsg=a=b c',
      'Mar  6 04:07:28 fw1 LEEF:2.0|Example|Guard|4.0.1|login|^|src=192.0.2.1^usrName=alice',
      'LEEF:2.0|Example|Guard|4.0.1|login|x7c|src=192.0.2.1|usrName=alice',
    ],
    records: [
      {
        leefVersion: '1.0',
        vendor: 'Example',
        product: 'Guard',
        version: '4.0.1',
        eventId: 'login',
        src: '192.0.2.1',
        usrName: 'alice',
        msg: 'a=b c',
      },
      {
        syslog: { timestamp: 'Mar  6 04:07:28', hostname: 'fw1' },
        leefVersion: '2.0',
        vendor: 'Example',
        product: 'Guard',
        version: '4.0.1',
        eventId: 'login',
        src: '192.0.2.1',
        usrName: 'alice',
      },
      {
        leefVersion: '2.0',
        vendor: 'Example',
        product: 'Guard',
        version: '4.0.1',
        eventId: 'login',
        src: '192.0.2.1',
        usrName: 'alice',
      },
    ],
  },
  parse(text) {
    const opening = openingOf(text, 'LEEF:')
    const columns = opening && readColumns(text, opening.end, HEADER.length)
    if (!columns) return undefined
    const record: JsonObject = opening.header ? { syslog: opening.header } : {}
    for (const [i, name] of HEADER.entries()) record[name] = columns.values[i]!.trim()
    const { delimiter, start } = delimiterOf(text, columns.end, columns.values[0]!)
    for (const part of text.slice(start).split(delimiter)) {
      const equals = part.indexOf('=')
      if (equals > 0) addValue(record, part.slice(0, equals).trim(), part.slice(equals + 1).trim())
      else if (part.trim() !== '') addValue(record, 'attributes', part.trim())
    }
    return record
  },
}

interface Delimiter {
  readonly delimiter: string
  /** Where the attributes begin. */
  readonly start: number
}

/** Version 2 has a sixth column: a character, its code in hex (`x09`, `0x09`), or nothing for a tab. */
function delimiterOf(text: string, start: number, version: string): Delimiter {
  const bar = text.slice(start, start + 6).indexOf('|')
  if (!version.startsWith('2') || bar < 0) return { delimiter: '\t', start }
  const named = text.slice(start, start + bar)
  const code = /^0?x([\da-f]{2,4})$/i.exec(named)?.[1]
  if (named.length > 1 && code === undefined) return { delimiter: '\t', start }
  const delimiter = code === undefined ? named || '\t' : String.fromCharCode(Number.parseInt(code, 16))
  return { delimiter, start: start + bar + 1 }
}
