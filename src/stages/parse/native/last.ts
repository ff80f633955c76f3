import type { JsonObject } from '../../../model/json.ts'
import { HEADER, type NativeParser } from './native.ts'

const HEADERS = /^(?:wtmp|btmp|utmp|lastlog|\S{1,255}\/\S{0,255}) begins /
const TIME =
  / ((?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d(?::\d\d \d{4})?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d)(?: |$)/
const TERMINAL = /^(system boot|system down|\(to lvl .\)|\S+)(?: +(\S.*))?$/
const DURATION = / \(([-+:\d]{1,30})\) *$/

export const last: NativeParser = {
  type: 'last',
  summary: 'Logins as listed by `last` and `lastb`; `last --time-format iso` has years and time zones.',
  example: {
    texts: [
      'alice    pts/0        192.0.2.10       Fri Apr 19 12:00 - 12:41  (00:41)    ',
      'reboot   system boot  6.1.0-18-amd64   2024-04-19T11:58:03+0200   still running',
      'wtmp begins Fri Apr 19 11:58:03 2024',
    ],
    records: [
      {
        user: 'alice',
        terminal: 'pts/0',
        host: '192.0.2.10',
        login_time: 'Fri Apr 19 12:00',
        logout: '12:41',
        duration: '00:41',
      },
      {
        user: 'reboot',
        terminal: 'system boot',
        kernel: '6.1.0-18-amd64',
        login_time: '2024-04-19T11:58:03+0200',
        logout: 'still running',
      },
    ],
  },
  parse(text) {
    const time = TIME.exec(text)
    if (time === null) return HEADERS.test(text) ? HEADER : undefined
    // A failed login may have no user name: `lastb` then begins with a blank.
    const user = text.slice(0, text.indexOf(' '))
    const where = TERMINAL.exec(text.slice(user.length, time.index).trim())
    if (where === null || HEADERS.test(text)) return HEADERS.test(text) ? HEADER : undefined
    const record: JsonObject = user === '' ? { terminal: where[1]! } : { user, terminal: where[1]! }
    const isSystem = user === 'reboot' || user === 'runlevel' || user === 'shutdown'
    if (where[2] !== undefined) record[isSystem ? 'kernel' : 'host'] = where[2]
    record['login_time'] = time[1]!
    addLogout(text.slice(time.index + time[0].length), record)
    return record
  },
}

/** `- 12:41  (00:41)`, `- crash (1+02:24)`, `still logged in`. */
function addLogout(text: string, record: JsonObject): void {
  const duration = DURATION.exec(text)
  const end = (duration === null ? text : text.slice(0, duration.index)).trim()
  const logout = end.startsWith('-') ? end.slice(1).trim() : end
  if (logout !== '') record['logout'] = logout
  if (duration !== null) record['duration'] = duration[1]!
}
