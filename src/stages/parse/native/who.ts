import type { JsonObject } from '../../../model/json.ts'
import { HEADER, type NativeParser } from './native.ts'

const TIME = / (\d{4}-\d\d-\d\d \d\d:\d\d|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d)(?: |$)/
const TERMINAL = /^(?:([-+?]) +)?(system boot|run-level .|\S+)$/
/** `[idle] [pid] [(host)] [comment]` */
const REST = /^(?:(\.|old|\d\d:\d\d)(?: +|$))?(?:(\d{1,10})(?: +|$))?(?:\(([^()]{1,255})\)(?: +|$))?/

export const who: NativeParser = {
  type: 'who',
  summary: 'Sessions as listed by `who` and `who -a`.',
  example: {
    texts: [
      'NAME     LINE         TIME             COMMENT',
      'alice    pts/0        2024-04-19 12:00 (192.0.2.10)',
      'LOGIN      tty1         2024-04-19 11:58               841 id=tty1',
    ],
    records: [
      { user: 'alice', terminal: 'pts/0', login_time: '2024-04-19 12:00', host: '192.0.2.10' },
      { user: 'LOGIN', terminal: 'tty1', login_time: '2024-04-19 11:58', pid: 841, comment: 'id=tty1' },
    ],
  },
  parse(text) {
    const time = TIME.exec(text)
    if (time === null) return /^NAME +LINE +TIME /.test(text) ? HEADER : undefined
    const user = text.slice(0, text.indexOf(' '))
    const where = TERMINAL.exec(text.slice(user.length, time.index).trim())
    const rest = text.slice(time.index + time[0].length).trim()
    if (where === null) return undefined
    const record: JsonObject = user === '' ? { terminal: where[2]! } : { user, terminal: where[2]! }
    // Whether others may write messages to the terminal.
    if (where[1] !== undefined) record['messages'] = where[1]
    record['login_time'] = time[1]!
    const [read = '', idle, pid, host] = REST.exec(rest) ?? []
    if (idle !== undefined) record['idle'] = idle
    if (pid !== undefined) record['pid'] = Number(pid)
    if (host !== undefined) record['host'] = host
    const comment = rest.slice(read.length)
    if (comment !== '') record['comment'] = comment
    return record
  },
}
