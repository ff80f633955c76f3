import { isIP } from 'node:net'
import type { JsonObject } from '../../../model/json.ts'
import { undoEscapes } from './escapes.ts'
import type { NativeParser } from './native.ts'

const TIME = /^\[((?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\] /
const LEVEL = /^\[(?:([a-z]\w{0,40})?:)?(emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] /
const PROCESS = /^\[pid (\d{1,10})(?::tid (\d{1,20}))?\] /
const CLIENT = /^\[(?:client|remote) (\[[^\]\s]{1,255}\](?::\d{1,5})?|[^\]\s]{1,255})\] /
const CODE = /^(AH\d{5}): /
const SYSTEM_ERROR = /^\((-?\d{1,10})\)/
const REFERER = ', referer: '

/** Error logs of Apache 2.2 (`[time] [level] [client …]`) and 2.4 (`[time] [module:level] [pid …] [client …] AH…:`). */
export const apacheError: NativeParser = {
  type: 'apache-error',
  summary: 'Error logs of Apache, as versions 2.2 and 2.4 write them by default.',
  example: {
    texts: [
      '[Fri Apr 19 12:00:00.123456 2024] [auth_basic:error] [pid 10:tid 140120579] [client 192.0.2.10:50229] AH01618: user alice not found: /admin, referer: https://example.com/',
      '[Fri Apr 19 12:00:01 2024] [notice] caught SIGTERM, shutting down',
    ],
    records: [
      {
        time: 'Fri Apr 19 12:00:00.123456 2024',
        module: 'auth_basic',
        level: 'error',
        pid: 10,
        tid: '140120579',
        client: '192.0.2.10',
        client_port: 50229,
        error_code: 'AH01618',
        message: 'user alice not found: /admin',
        referer: 'https://example.com/',
      },
      { time: 'Fri Apr 19 12:00:01 2024', level: 'notice', message: 'caught SIGTERM, shutting down' },
    ],
  },
  parse(text) {
    const time = TIME.exec(text)
    let rest = text.slice(time?.[0].length)
    const level = LEVEL.exec(rest)
    if (time === null || level === null) return undefined
    const record: JsonObject = { time: time[1]! }
    if (level[1] !== undefined) record['module'] = level[1]
    record['level'] = level[2]!
    rest = rest.slice(level[0].length)
    const process = PROCESS.exec(rest)
    if (process !== null) {
      record['pid'] = Number(process[1])
      if (process[2] !== undefined) record['tid'] = process[2]
      rest = rest.slice(process[0].length)
    }
    addMessage(rest, record)
    return record
  },
}

function addMessage(text: string, record: JsonObject): void {
  let rest = addClient(text, record)
  const error = SYSTEM_ERROR.exec(rest)
  if (error !== null) {
    record['system_error'] = Number(error[1])
    // `(70014)End of file found: [client …] AH02006: …`
    const end = rest.indexOf(': ')
    if (end > 0 && (CLIENT.test(rest.slice(end + 2, end + 300)) || CODE.test(rest.slice(end + 2, end + 12)))) {
      record['system_error_text'] = rest.slice(error[0].length, end)
      rest = addClient(rest.slice(end + 2), record)
    }
  }
  const code = CODE.exec(rest)
  if (code !== null) {
    record['error_code'] = code[1]!
    rest = rest.slice(code[0].length)
  }
  const referer = rest.lastIndexOf(REFERER)
  record['message'] = undoEscapes(referer < 0 ? rest : rest.slice(0, referer))
  if (referer >= 0) record['referer'] = undoEscapes(rest.slice(referer + REFERER.length))
}

/** Takes `[client address:port]` off the start. Modules such as ModSecurity write the address once more. */
function addClient(text: string, record: JsonObject): string {
  const client = CLIENT.exec(text)
  if (client === null) return text
  const rest = text.slice(client[0].length)
  const again = CLIENT.exec(rest)
  if (record['client'] === undefined) setClient(client[1]!, record)
  return again === null ? rest : rest.slice(again[0].length)
}

/** Version 2.4, which writes process ids, adds the port; before an IPv6 address's port there is just another colon. */
function setClient(text: string, record: JsonObject): void {
  const colon = text.lastIndexOf(':')
  const address = bare(text.slice(0, colon))
  const hasPort = colon > 0 && (isIP(address) > 0 ? isIP(text) === 0 || record['pid'] !== undefined : !address.includes(':'))
  record['client'] = hasPort ? address : bare(text)
  if (hasPort) record['client_port'] = Number(text.slice(colon + 1))
}

function bare(address: string): string {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address
}
