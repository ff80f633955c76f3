import type { JsonObject } from '../../../model/json.ts'
import { readFields } from './auditd/fields.ts'
import type { NativeParser } from './native.ts'
import { readSyslogHeader } from './syslog.ts'

/** Between a record and what auditd adds to it when `log_format = ENRICHED`. */
const ENRICHED = '\u001d'

/**
 * Records of the Linux audit daemon, raw or enriched, as in audit.log or with a syslog header (`audispd: node=web1 type=…`).
 *
 * Fields have auditd's names; those of a nested `msg='…'` are beside the others. Values in hex are decoded where auditd encodes
 * them; `(null)`, `(none)` and `?` are left out. Enriched values have the name of what they explain: `UID="root"` is `uid_name`.
 */
export const auditd: NativeParser = {
  type: 'auditd',
  summary: 'Records of the Linux audit daemon, raw or enriched.',
  example: {
    texts: [
      'type=USER_AUTH msg=audit(1709698048.123:441): pid=21 uid=0 msg=\'op=password acct="root" hostname=? addr=192.0.2.7 res=failed\'\u001dUID="root"',
      'node=web1 type=EXECVE msg=audit(1709698048.125:442): argc=2 a0="cat" a1=2F746D702F61206223',
      'type=AVC msg=audit(1709698048.200:443): avc:  denied  { read write } for  pid=7 comm="ls" tclass=file',
    ],
    records: [
      {
        type: 'USER_AUTH',
        timestamp: '1709698048.123',
        sequence: '441',
        pid: '21',
        uid: '0',
        op: 'password',
        acct: 'root',
        addr: '192.0.2.7',
        res: 'failed',
        uid_name: 'root',
      },
      {
        node: 'web1',
        type: 'EXECVE',
        timestamp: '1709698048.125',
        sequence: '442',
        argc: '2',
        a0: 'cat',
        a1: '/tmp/a b#',
        command: 'cat /tmp/a b#',
      },
      {
        type: 'AVC',
        timestamp: '1709698048.200',
        sequence: '443',
        avc: 'denied',
        permissions: ['read', 'write'],
        pid: '7',
        comm: 'ls',
        tclass: 'file',
      },
    ],
  },
  parse(text) {
    const record: JsonObject = {}
    const start = readOpening(text, record)
    if (start < 0) return undefined
    readFields(readAvc(text.slice(start).replace(ENRICHED, ' '), record), record)
    if (record['type'] === 'EXECVE') joinArguments(record)
    return record
  },
}

const STAMP = 'msg=audit('
const MAX_HEADER = 1024

/** Reads `[header][node=… ]type=… msg=audit(time:sequence):`; returns the index after it, or -1. */
function readOpening(text: string, record: JsonObject): number {
  const head = text.slice(0, MAX_HEADER)
  const stamp = head.indexOf(STAMP)
  const type = head.lastIndexOf('type=', stamp)
  if (stamp < 0 || type < 0) return -1
  const name = head.slice(type + 'type='.length, stamp).trim()
  const close = head.indexOf(')', stamp)
  const [time = '', sequence = ''] = head.slice(stamp + STAMP.length, Math.max(close, 0)).split(':', 2)
  if (close < 0 || name === '' || name.includes(' ') || !/^\d{1,12}\.\d{1,9}$/.test(time) || !/^\d{1,20}$/.test(sequence))
    return -1
  if (!readBefore(head.slice(0, type).trim(), record)) return -1
  Object.assign(record, { type: name, timestamp: time, sequence })
  return head[close + 1] === ':' ? close + 2 : close + 1
}

/** What stands before the type: the host's name, a syslog header, or both. */
function readBefore(text: string, record: JsonObject): boolean {
  const at = text.lastIndexOf('node=')
  const header = at < 0 ? text : text.slice(0, at).trim()
  const node = at < 0 ? '' : text.slice(at + 'node='.length)
  if (node.includes(' ')) return false
  if (node !== '') record['node'] = node
  if (header === '') return true
  const syslog = readSyslogHeader(header)
  if (syslog) record['syslog'] = syslog
  return syslog !== undefined
}

/** `avc:  denied  { read } for  …` of SELinux is not made of pairs; returns the pairs after it. */
function readAvc(text: string, record: JsonObject): string {
  const start = text.slice(0, 20).indexOf('avc: ')
  const open = text.indexOf('{', start)
  const close = text.indexOf('}', open)
  if (start < 0 || open < 0 || close < 0) return text
  record['avc'] = text.slice(start + 'avc: '.length, open).trim()
  record['permissions'] = text
    .slice(open + 1, close)
    .trim()
    .split(' ')
  return text.slice(close + 1)
}

/** The arguments of EXECVE as one text, which rules and people search. */
function joinArguments(record: JsonObject): void {
  const words: string[] = []
  for (let word = record['a0']; typeof word === 'string'; word = record[`a${words.length}`]) words.push(word)
  if (words.length > 0) record['command'] = words.join(' ')
}
