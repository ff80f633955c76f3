import { expect, test } from 'vitest'
import { last } from './last.ts'
import { lsmod } from './lsmod.ts'
import { HEADER } from './native.ts'
import { who } from './who.ts'

test.each([
  [
    'carol    tty1                          Mon Jan  4 12:29 - crash (1+01:59)   ',
    { terminal: 'tty1', logout: 'crash', duration: '1+01:59' },
  ],
  [
    'carol    pts/0        web.example.net  Mon Jun 19 14:15:57 2023 - Mon Jun 19 14:18:00 2023  (00:02)',
    { host: 'web.example.net', logout: 'Mon Jun 19 14:18:00 2023' },
  ],
  [
    'reboot   system boot  6.1.0-18-amd64   Mon Jun 19 16:59:20 2023   still running',
    { terminal: 'system boot', kernel: '6.1.0-18-amd64', logout: 'still running' },
  ],
  [
    'runlevel (to lvl 3)   6.1.0-18-amd64   Mon Jun 19 16:59:39 2023 - Mon Jun 19 14:35:00 2023  (-2:-24)',
    { terminal: '(to lvl 3)', duration: '-2:-24' },
  ],
  [
    '         ssh:notty    198.51.100.23    2024-04-19T11:54:58+0200   gone - no logout',
    { terminal: 'ssh:notty', logout: 'gone - no logout' },
  ],
])('last: %s', (text, fields) => {
  expect(last.parse(text)).toMatchObject(fields)
})

test('a failed login without user name has none', () => {
  expect(last.parse('         ssh:notty    198.51.100.23    2024-04-19T11:54:58+0200')).not.toHaveProperty('user')
})

test('the line that says when the log begins is no record', () => {
  expect(last.parse('btmp begins Fri Feb 14 02:06:41 2020')).toBe(HEADER)
  expect(last.parse('/var/log/wtmp.1 begins Fri Feb 14 02:06:41 2020')).toBe(HEADER)
})

test.each([
  ['alice    seat0        2023-10-21 20:06 (login screen)', { user: 'alice', terminal: 'seat0', host: 'login screen' }],
  ['alice    :0           Oct 21 20:06 (:0)', { terminal: ':0', login_time: 'Oct 21 20:06' }],
  [
    'alice  + pts/0        2020-02-29 18:43 00:11        3709 (192.0.2.1)',
    { messages: '+', idle: '00:11', pid: 3709, host: '192.0.2.1' },
  ],
  ['           run-level 5  2020-03-02 02:52', { terminal: 'run-level 5' }],
])('who: %s', (text, fields) => {
  expect(who.parse(text)).toMatchObject(fields)
})

test.each([
  ['nvidia               1234567  -1', { used: -1 }],
  ['ext4                  745472  1 -', { module: 'ext4', used: 1 }],
])('lsmod: %s', (text, fields) => {
  expect(lsmod.parse(text)).toMatchObject(fields)
})

test.each(['', 'prose that is no log at all', 'alice pts/0'])('none of them reads %j', (text) => {
  expect([last, lsmod, who].map((parser) => parser.parse(text))).toEqual([undefined, undefined, undefined])
})
