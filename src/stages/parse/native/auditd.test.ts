import { expect, test } from 'vitest'
import { auditd } from './auditd.ts'

const stamp = { timestamp: '1709698048.123', sequence: '7' }
const read = (type: string, rest: string) => auditd.parse(`type=${type} msg=audit(1709698048.123:7): ${rest}`)

test.each<[string, string, string, object]>([
  [
    'a syscall',
    'SYSCALL',
    'arch=c000003e success=yes exit=-2 tty=(none) comm="sh" key=(null)',
    { arch: 'c000003e', success: 'yes', exit: '-2', comm: 'sh' },
  ],
  [
    'values added by log_format = ENRICHED',
    'SYSCALL',
    'uid=0 key="k"\u001dSYSCALL=execve UID="root"',
    { uid: '0', key: 'k', syscall_name: 'execve', uid_name: 'root' },
  ],
  [
    'the same without their separator',
    'USER_END',
    'uid=0 msg=\'op=login acct="root"\'UID="root"',
    { uid: '0', op: 'login', acct: 'root', uid_name: 'root' },
  ],
  [
    'a user name in hex',
    'USER_LOGIN',
    "user pid=7 msg='op=login acct=28756E6B6E6F776E29 res=failed'",
    { pid: '7', op: 'login', acct: '(unknown)', res: 'failed' },
  ],
  ['hex where nothing is encoded', 'SYSCALL', 'a0=6162 exit=10', { a0: '6162', exit: '10' }],
  ['a process title', 'PROCTITLE', 'proctitle=2F62696E2F7368002D63', { proctitle: '/bin/sh -c' }],
  ['a title that is not in hex', 'PROCTITLE', 'proctitle="ab"', { proctitle: 'ab' }],
  [
    'an address',
    'SOCKADDR',
    'saddr=0200005001010101000000000000',
    { saddr: '0200005001010101000000000000', saddr_ip: '1.1.1.1', saddr_port: 80 },
  ],
  [
    'an IPv6 address',
    'SOCKADDR',
    'saddr=0A0001BB0000000020010DB800000000000000000000000700000000',
    { saddr: '0A0001BB0000000020010DB800000000000000000000000700000000', saddr_ip: '2001:db8:0:0:0:0:0:7', saddr_port: 443 },
  ],
  ['a local socket', 'SOCKADDR', 'saddr=01002F72756E2F78', { saddr: '01002F72756E2F78' }],
  [
    'old and new values',
    'LOGIN',
    'uid=0 old auid=4294967295 new auid=0 old-ses=1',
    { uid: '0', old_auid: '4294967295', new_auid: '0', old_ses: '1' },
  ],
  ['a type with a number', 'UNKNOWN[1323]', 'fd=6', { fd: '6' }],
  ['a text without fields', 'SHORTDATE', 'check rounding', {}],
  ['a quote that is never closed', 'USER_CMD', 'msg=\'cwd="/root', { cwd: '/root' }],
])('%s', (_, type, rest, fields) => expect(read(type, rest)).toEqual({ type, ...stamp, ...fields }))

test.each([
  ['a syslog header', 'Mar  6 04:07:28 web1 audispd: node=web1 type=CWD msg=audit(1709698048.123:7): cwd="/"'],
  ['a priority', '<13>Mar  6 04:07:28 web1 audispd: node=web1 type=CWD msg=audit(1709698048.123:7):  cwd="/"'],
])('after %s', (_, text) => {
  expect(auditd.parse(text)).toMatchObject({
    type: 'CWD',
    node: 'web1',
    ...stamp,
    cwd: '/',
    syslog: { hostname: 'web1', appname: 'audispd' },
  })
})

test.each([
  ['no milliseconds', 'type=WRONGDATE msg=audit(1337845201): x'],
  ['no time', 'type=EMPTYDATE msg=audit(): x'],
  ['an empty type', 'type= msg=audit(1337845333.174:94984): x'],
  ['no type', 'msg=audit(1337845201.174:94984): x'],
  ['prose before it', 'it says type=CWD msg=audit(1337845201.174:94984): x'],
])('%s is refused', (_, text) => expect(auditd.parse(text)).toBeUndefined())
