import { expect, test } from 'vitest'
import { vsftpd } from './vsftpd.ts'

const read = (rest: string) => vsftpd.parse(`Fri Apr 19 11:58:05 2024 [pid 9] ${rest}`)
const header = { timestamp: 'Apr 19 11:58:05 2024', pid: '9' }

test.each<[string, string, object]>([
  [
    'a failed login',
    '[bob] FAIL LOGIN: Client "192.0.2.7"',
    { user: 'bob', result: 'fail', action: 'login', source_ip: '192.0.2.7' },
  ],
  [
    'a login with a reason, from a mapped address',
    '[bob] FAIL LOGIN: Client "::ffff:192.0.2.7", "User is not in the allow user list."',
    { user: 'bob', result: 'fail', action: 'login', source_ip: '192.0.2.7', reason: 'User is not in the allow user list.' },
  ],
  [
    'a user whose name looks like a message',
    '[x] OK LOGIN: y] FAIL LOGIN: Client "192.0.2.7"',
    { user: 'x] OK LOGIN: y', result: 'fail', action: 'login', source_ip: '192.0.2.7' },
  ],
  [
    'a file whose name has quotes',
    '[bob] OK UPLOAD: Client "192.0.2.7", "/a "b".txt", 10 bytes, 1.00Kbyte/sec',
    { user: 'bob', result: 'ok', action: 'upload', source_ip: '192.0.2.7', path: '/a "b".txt', bytes: 10 },
  ],
  ['a connection', 'CONNECT: Client "c.example.com"', { action: 'connect', source_host: 'c.example.com' }],
])('%s', (_, rest, fields) => expect(read(rest)).toEqual({ ...header, ...fields }))

test.each(['[bob] OK LOGIN', 'prose: Client "192.0.2.7"', 'CONNECT: Client "192.0.2.7'])('%s is refused', (rest) => {
  expect(read(rest)).toBeUndefined()
})
