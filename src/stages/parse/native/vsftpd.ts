import type { JsonObject } from '../../../model/json.ts'
import type { NativeParser } from './native.ts'
import { setField, setSource } from './syslog/fields.ts'

const TIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}) \[pid (\d{1,10})\] /

/**
 * vsftpd's own log (`vsftpd.log`; not `xferlog`): `[alice] OK LOGIN: Client "192.0.2.7"`, with a file and sizes for transfers.
 */
export const vsftpd: NativeParser = {
  type: 'vsftpd',
  summary: 'The log of vsftpd: connections, logins, transfers.',
  example: {
    texts: [
      'Wed Mar  6 04:07:28 2024 [pid 2] CONNECT: Client "192.0.2.7"',
      'Wed Mar  6 04:07:29 2024 [pid 3] [alice] OK UPLOAD: Client "192.0.2.7", "/home/alice/a, b.png", 1884648 bytes, 41264.44Kbyte/sec',
    ],
    records: [
      { timestamp: 'Mar  6 04:07:28 2024', pid: '2', action: 'connect', source_ip: '192.0.2.7' },
      {
        timestamp: 'Mar  6 04:07:29 2024',
        pid: '3',
        user: 'alice',
        result: 'ok',
        action: 'upload',
        source_ip: '192.0.2.7',
        path: '/home/alice/a, b.png',
        bytes: 1884648,
      },
    ],
  },
  parse(text) {
    const time = TIME.exec(text.slice(0, 60))
    const fields = time && readVsftpd(text.slice(time[0].length))
    return fields ? { timestamp: time[1]!, pid: time[2]!, ...fields } : undefined
  },
}

const CLIENT = ': Client "'

/** A message after its time and process id, which is also what vsftpd sends to syslog. */
export function readVsftpd(text: string): JsonObject | undefined {
  const client = text.indexOf(CLIENT)
  if (client < 0) return undefined
  const fields: JsonObject = {}
  let what = text.slice(0, client)
  // The user comes first and may contain anything, so what follows the last bracket is the command.
  const close = what.startsWith('[') ? what.lastIndexOf('] ') : -1
  if (close > 0) setField(fields, 'user', what.slice(1, close))
  if (close > 0) what = what.slice(close + 2)
  const [result = ''] = what.split(' ', 1)
  if (result === 'OK' || result === 'FAIL') {
    fields['result'] = result.toLowerCase()
    what = what.slice(result.length + 1)
  }
  if (!/^[A-Z]{2,16}(?: [A-Z]{2,16})?$/.test(what.slice(0, 40)) || what.length > 40) return undefined
  fields['action'] = what.toLowerCase()
  const start = client + CLIENT.length
  const end = text.indexOf('"', start)
  if (end < 0 || !setSource(fields, text.slice(start, end))) return undefined
  readRest(text.slice(end + 1), fields)
  return fields
}

/** `, "/path", 123 bytes, 4.5Kbyte/sec`, or a text in quotes that says why a login failed. */
function readRest(text: string, fields: JsonObject): void {
  const open = text.indexOf('"')
  const close = text.lastIndexOf('"')
  if (open >= 0 && close > open) setField(fields, fields['action'] === 'login' ? 'reason' : 'path', text.slice(open + 1, close))
  const bytes = /(\d{1,15}) bytes/.exec(text.slice(Math.max(close, 0)).slice(0, 60))
  if (bytes) fields['bytes'] = Number(bytes[1])
}
