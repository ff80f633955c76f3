import type { JsonObject } from '../../../model/json.ts'
import type { NativeParser } from './native.ts'
import { readPriority } from './syslog/priority.ts'
import { understand } from './syslog/programs/index.ts'
import { readRfc3164 } from './syslog/rfc3164.ts'
import { readRfc5424 } from './syslog/rfc5424.ts'

/**
 * Syslog in all its dialects: RFC 5424; RFC 3164 with the variations of rsyslog, syslog-ng, Cisco, macOS and Chrome OS, with or
 * without `<PRI>`. Where a known program wrote the message, fields of its content are added (`syslog/programs`).
 *
 * Field names are those of Panther's log types Syslog.RFC3164 and Syslog.RFC5424. Times are the text in the record.
 */
export const syslog: NativeParser = {
  type: 'syslog',
  summary: 'Syslog lines of RFC 3164 and RFC 5424 and their common variations, with or without a priority.',
  example: {
    texts: [
      'Mar  6 04:07:28 web1 sshd[812]: Accepted publickey for alice from 192.0.2.10 port 50022 ssh2: ED25519 SHA256:abc',
      '<86>1 2024-03-06T04:07:28.25Z web1 app 812 ID1 [origin@64496 ip="192.0.2.1"] ready',
      '<13>2024-03-06T04:07:28+01:00 web1 backup: done',
    ],
    records: [
      {
        timestamp: 'Mar  6 04:07:28',
        hostname: 'web1',
        appname: 'sshd',
        procid: '812',
        message: 'Accepted publickey for alice from 192.0.2.10 port 50022 ssh2: ED25519 SHA256:abc',
        action: 'login_succeeded',
        method: 'publickey',
        user: 'alice',
        source_ip: '192.0.2.10',
        source_port: 50022,
        key_fingerprint: 'SHA256:abc',
      },
      {
        priority: 86,
        facility: 10,
        severity: 6,
        version: 1,
        timestamp: '2024-03-06T04:07:28.25Z',
        hostname: 'web1',
        appname: 'app',
        procid: '812',
        msgid: 'ID1',
        structured_data: { 'origin@64496': { ip: '192.0.2.1' } },
        message: 'ready',
      },
      {
        priority: 13,
        facility: 1,
        severity: 5,
        timestamp: '2024-03-06T04:07:28+01:00',
        hostname: 'web1',
        appname: 'backup',
        message: 'done',
      },
    ],
  },
  parse: (text) => understood(readRecord(text)),
}

/** For schemas of which a source has one for each format. */
export const rfc3164: NativeParser = {
  type: 'rfc3164',
  summary: 'Syslog lines in any format but RFC 5424.',
  example: { texts: syslog.example.texts.filter((_, i) => i !== 1), records: syslog.example.records.filter((_, i) => i !== 1) },
  parse(text) {
    const record = readRecord(text)
    return record?.['version'] === undefined ? understood(record) : undefined
  },
}

export const rfc5424: NativeParser = {
  type: 'rfc5424',
  summary: 'Syslog lines of RFC 5424.',
  example: { texts: syslog.example.texts.slice(1, 2), records: syslog.example.records.slice(1, 2) },
  parse(text) {
    const record = readRecord(text)
    return record?.['version'] === undefined ? undefined : understood(record)
  },
}

function understood(record: JsonObject | undefined): JsonObject | undefined {
  if (record) understand(record)
  return record
}

/** The fields of a syslog header that another format has before it, or `undefined` if the text is more or less than a header. */
export function readSyslogHeader(text: string): JsonObject | undefined {
  const record = readRecord(text)
  if (record?.['message'] !== '') return undefined
  const { message: _, ...header } = record
  return header
}

function readRecord(text: string): JsonObject | undefined {
  const priority = readPriority(text)
  const start = priority?.end ?? 0
  const own = (priority && readRfc5424(text, start)) ?? readRfc3164(text, start, priority !== undefined)
  if (own && priority) addPriority(own, priority.value)
  return own
}

/** A severity that the message names itself stays. */
function addPriority(record: JsonObject, priority: number): void {
  record['priority'] = priority
  record['facility'] = priority >> 3
  record['severity'] ??= priority & 7
}
