import type { JsonObject } from '../../../model/json.ts'
import type { NativeParser } from './native.ts'

const HEAD = /^(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d) \[([a-z]{1,10})\] (\d{1,10})#(\d{1,10}): (?:\*(\d{1,20}) )?/

/** What nginx appends to a message about a request, in this order (`ngx_http_log_error_handler`); quoted values in quotes. */
const CONTEXT = ['client', 'server', 'request', 'subrequest', 'upstream', 'host', 'referrer'] as const
const CLIENT = ', client: '

export const nginxError: NativeParser = {
  type: 'nginx-error',
  summary: 'Error logs of nginx, with the request that the message is about.',
  example: {
    texts: [
      '2024/04/19 12:00:00 [error] 812#812: *42 open() "/srv/www/.env" failed (2: No such file or directory), client: 192.0.2.10, server: example.com, request: "GET /.env HTTP/1.1", host: "example.com"',
      '2024/04/19 12:00:01 [notice] 1#1: signal process started',
    ],
    records: [
      {
        time: '2024/04/19 12:00:00',
        level: 'error',
        pid: 812,
        tid: 812,
        connection: 42,
        message: 'open() "/srv/www/.env" failed (2: No such file or directory)',
        client: '192.0.2.10',
        server: 'example.com',
        request: 'GET /.env HTTP/1.1',
        host: 'example.com',
      },
      { time: '2024/04/19 12:00:01', level: 'notice', pid: 1, tid: 1, message: 'signal process started' },
    ],
  },
  parse(text) {
    const head = HEAD.exec(text)
    if (head === null) return undefined
    const [whole, time, level, pid, tid, connection] = head
    const record: JsonObject = { time: time!, level: level!, pid: Number(pid), tid: Number(tid) }
    if (connection !== undefined) record['connection'] = Number(connection)
    addMessage(text.slice(whole.length), record)
    return record
  },
}

/**
 * Splits the message from the context. Neither is escaped, so a client can write `, client: …` into a path or a referrer: where that
 * occurs twice, the message is kept whole instead of naming an address that may be made up.
 */
function addMessage(text: string, record: JsonObject): void {
  const at = text.indexOf(CLIENT)
  if (at < 0 || text.includes(CLIENT, at + 1)) {
    record['message'] = text
    return
  }
  record['message'] = text.slice(0, at)
  let start = at
  for (const [i, name] of CONTEXT.entries()) {
    const label = `, ${name}: `
    if (!text.startsWith(label, start)) continue
    const from = start + label.length
    const end = nextLabel(text, from, i + 1)
    const value = text.slice(from, end)
    const bare = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
    if (bare !== '') record[name] = bare
    start = end
  }
}

/** The place of the first label that may follow, or the end. */
function nextLabel(text: string, from: number, index: number): number {
  const places = CONTEXT.slice(index).map((name) => text.indexOf(`, ${name}: `, from))
  return Math.min(...places.filter((place) => place >= 0), text.length)
}
