import { expect, test } from 'vitest'
import type { JsonObject } from '../../../../model/json.ts'
import { syslog } from '../syslog.ts'

/** The fields that the message of a program adds. */
function fieldsOf(program: string, message: string): JsonObject {
  const record = syslog.parse(`Mar  6 04:07:28 host ${program}: ${message}`) as JsonObject
  const { timestamp: _t, hostname: _h, appname: _a, procid: _p, message: _m, ...fields } = record
  return fields
}

const end = { source_ip: '192.0.2.7', source_port: 4000 }

test.each<[string, JsonObject]>([
  [
    'Accepted password for alice from 192.0.2.7 port 4000 ssh2',
    { action: 'login_succeeded', method: 'password', user: 'alice', ...end },
  ],
  [
    'Failed publickey for alice from 192.0.2.7 port 4000 ssh2: ED25519 SHA256:abc',
    { action: 'login_failed', method: 'publickey', user: 'alice', key_fingerprint: 'SHA256:abc', ...end },
  ],
  [
    'Failed password for invalid user admin from 2001:db8::7 port 4000 ssh2',
    {
      action: 'login_failed',
      method: 'password',
      user: 'admin',
      reason: 'invalid user',
      source_ip: '2001:db8::7',
      source_port: 4000,
    },
  ],
  [
    'Failed password for root from 192.0.2.7',
    { action: 'login_failed', method: 'password', user: 'root', source_ip: '192.0.2.7' },
  ],
  [
    'message repeated 5 times: [ Failed password for root from 192.0.2.7 port 4000 ssh2]',
    { action: 'login_failed', method: 'password', user: 'root', repeated: 5, ...end },
  ],
  ['Invalid user  from 192.0.2.7 port 4000', { action: 'invalid_user', reason: 'invalid user', ...end }],
  [
    'Connection closed by authenticating user root 192.0.2.7 port 4000 [preauth]',
    { action: 'disconnected', user: 'root', ...end },
  ],
  ['Connection reset by 192.0.2.7 port 4000 [preauth]', { action: 'disconnected', ...end }],
  [
    'error: Received disconnect from 192.0.2.7: 3: Auth fail [preauth]',
    { action: 'disconnected', reason: '3: Auth fail', source_ip: '192.0.2.7' },
  ],
  ['Received disconnect from 192.0.2.7 port 4000:11: Bye Bye', { action: 'disconnected', reason: '11: Bye Bye', ...end }],
  [
    'Disconnecting invalid user x 192.0.2.7 port 4000: Too many authentication failures [preauth]',
    { action: 'disconnected', user: 'x', reason: 'invalid user', ...end },
  ],
  [
    'error: maximum authentication attempts exceeded for root from 192.0.2.7 port 4000 ssh2 [preauth]',
    { action: 'too_many_attempts', user: 'root', ...end },
  ],
  [
    'User bob from 192.0.2.7 not allowed because not listed in AllowUsers',
    { action: 'login_refused', user: 'bob', source_ip: '192.0.2.7', reason: 'not listed in AllowUsers' },
  ],
  ['ROOT LOGIN REFUSED FROM ::ffff:192.0.2.7 port 4000', { action: 'login_refused', user: 'root', ...end }],
  [
    'error: PAM: Authentication failure for illegal user bob from c.example.com via 198.51.100.1',
    { action: 'login_failed', method: 'pam', user: 'bob', reason: 'invalid user', source_host: 'c.example.com' },
  ],
  ['Connection from 192.0.2.7 port 4000 on 198.51.100.1 port 22 rdomain ""', { action: 'connected', ...end }],
  [
    'reverse mapping checking getaddrinfo for c.example.com [192.0.2.7] failed - POSSIBLE BREAK-IN ATTEMPT!',
    { action: 'reverse_mapping_failed', source_host: 'c.example.com', source_ip: '192.0.2.7' },
  ],
  [
    'Unable to negotiate with 192.0.2.7: no matching MAC found.',
    { action: 'handshake_failed', reason: 'no matching MAC found.', source_ip: '192.0.2.7' },
  ],
  ['fatal: Timeout before authentication for 192.0.2.7 port 4000', { action: 'login_timeout', ...end }],
  [
    'Unable to negotiate with 192.0.2.7 port 4000: no matching cipher found.',
    { action: 'handshake_failed', reason: 'no matching cipher found.', ...end },
  ],
  [
    "Bad protocol version identification 'GET / from 198.51.100.9' from 192.0.2.7 port 4000",
    { action: 'handshake_failed', ...end },
  ],
  ['Server listening on 0.0.0.0 port 22.', {}],
])('sshd: %s', (message, fields) => expect(fieldsOf('sshd[3]', message)).toEqual(fields))

test.each([
  ['a user name', 'Failed password for invalid user x from 198.51.100.9 port 1 ssh2 from 192.0.2.7 port 4000 ssh2'],
  ['a user name in a disconnection', 'Connection closed by invalid user x 198.51.100.9 port 1 192.0.2.7 port 4000 [preauth]'],
  ['a remote user of version 1', 'Failed password for alice from 192.0.2.7 port 4000 ssh1: ruser x from 198.51.100.9'],
  ['a client user', 'Failed hostbased for alice from 192.0.2.7 port 4000 ssh2: RSA SHA256:x, client user "x from 198.51.100.9"'],
])('an address within %s is not mistaken for the source', (_, message) => {
  expect(fieldsOf('sshd', message)).toMatchObject(end)
})

test.each([
  'Failed hostbased for alice from 192.0.2.7 port 4000 ssh2: RSA SHA256:x, client user "x from 198.51.100.9 port 1 ssh2"',
  'Disconnecting user x 198.51.100.9 port 1: y 192.0.2.7 port 4000: Change of username or service not allowed',
])('where two addresses could be the source, neither is taken: %s', (message) => {
  const fields = fieldsOf('sshd', message)
  expect(fields).toHaveProperty('action')
  expect(fields).not.toHaveProperty('source_ip')
})

const failure = { action: 'authentication_failed', service: 'sshd', uid: 0, tty: 'ssh' }

test.each<[string, string, JsonObject]>([
  [
    'sshd',
    'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root',
    { ...failure, source_ip: '192.0.2.7', user: 'root' },
  ],
  [
    'sshd(pam_unix)[7]',
    '2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7',
    { ...failure, attempts: 2, source_ip: '192.0.2.7' },
  ],
  [
    'sshd',
    'PAM 3 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7',
    { ...failure, attempts: 3, source_ip: '192.0.2.7' },
  ],
  [
    'vsftpd',
    'pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob rhost=c.example.com',
    {
      action: 'authentication_failed',
      service: 'vsftpd',
      uid: 0,
      tty: 'ftp',
      remote_user: 'bob',
      user: 'bob',
      source_host: 'c.example.com',
    },
  ],
  [
    'ftpd',
    '(pam_unix) authentication failure; logname= uid=0 euid=0 tty= ruser=x rhost=198.51.100.9 rhost=192.0.2.7',
    {
      action: 'authentication_failed',
      service: 'ftpd',
      uid: 0,
      remote_user: 'x rhost=198.51.100.9',
      user: 'x rhost=198.51.100.9',
      source_ip: '192.0.2.7',
    },
  ],
  [
    'sshd',
    'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 user=x rhost=198.51.100.9',
    { ...failure, source_ip: '192.0.2.7', user: 'x rhost=198.51.100.9' },
  ],
  [
    'ftpd',
    'pam_unix(auth): authentication failure; logname= uid=0 euid=0 tty= ruser=x rhost=198.51.100.9 user=y rhost=192.0.2.7',
    { action: 'authentication_failed', service: 'ftpd', uid: 0, user: 'y rhost=192.0.2.7' },
  ],
  [
    'sudo',
    'pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)',
    { action: 'session_opened', service: 'sudo', user: 'root', uid: 0, opened_by: 'alice' },
  ],
  [
    'CRON[1]',
    'pam_unix(cron:session): session closed for user root',
    { action: 'session_closed', service: 'cron', user: 'root' },
  ],
  ['sshd', 'pam_unix(sshd:auth): check pass; user unknown', { action: 'invalid_user', service: 'sshd', reason: 'invalid user' }],
  [
    'sudo',
    'alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/sh -c a ; USER=bob',
    {
      action: 'command_run',
      user: 'alice',
      tty: 'pts/0',
      working_directory: '/home/alice',
      target_user: 'root',
      command: '/bin/sh -c a ; USER=bob',
    },
  ],
  [
    'sudo',
    ' alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls',
    {
      action: 'command_refused',
      user: 'alice',
      reason: '3 incorrect password attempts',
      attempts: 3,
      tty: 'pts/0',
      working_directory: '/',
      target_user: 'root',
      command: '/bin/ls',
    },
  ],
  [
    'sudo',
    'alice : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls',
    {
      action: 'command_refused',
      user: 'alice',
      reason: 'user NOT in sudoers',
      tty: 'pts/0',
      working_directory: '/',
      target_user: 'root',
      command: '/bin/ls',
    },
  ],
  ['su[1]', '(to root) alice on pts/1', { action: 'user_switched', user: 'alice', target_user: 'root', tty: 'pts/1' }],
  [
    'su',
    'FAILED SU (to root) alice on pts/1',
    { action: 'user_switch_failed', user: 'alice', target_user: 'root', tty: 'pts/1' },
  ],
  ['su', 'alice to root on /dev/ttyp1', { action: 'user_switched', user: 'alice', target_user: 'root', tty: '/dev/ttyp1' }],
  [
    'CRON[1]',
    '(root) CMD (  cd / && run-parts /etc/cron.hourly)',
    { action: 'job_started', user: 'root', command: 'cd / && run-parts /etc/cron.hourly' },
  ],
  ['crontab[1]', '(root) REPLACE (alice)', { action: 'crontab_changed', user: 'root', target_user: 'alice' }],
  ['systemd[1]', 'Started Daily apt upgrade.', { action: 'unit_started', unit: 'Daily apt upgrade' }],
  [
    'systemd[1]',
    "nginx.service: Failed with result 'exit-code'.",
    { action: 'unit_failed', unit: 'nginx.service', reason: 'exit-code' },
  ],
  ['systemd-logind[1]', 'New session 5 of user alice.', { action: 'session_opened', session_id: '5', user: 'alice' }],
  [
    'useradd[1]',
    'new user: name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/sh, from=/dev/pts/0',
    { action: 'user_added', target_user: 'bob', uid: 1001, gid: 1001 },
  ],
  ['usermod[1]', "add 'bob' to group 'sudo'", { action: 'group_member_added', target_user: 'bob', target_group: 'sudo' }],
  ['vsftpd[3]', '[bob] FAIL LOGIN: Client "192.0.2.7"', { action: 'login_failed', user: 'bob', source_ip: '192.0.2.7' }],
  ['other', 'Accepted password for alice from 192.0.2.7 port 4000 ssh2', {}],
])('%s: %s', (program, message, fields) => expect(fieldsOf(program, message)).toEqual(fields))

test('Solaris puts an id before the message', () => {
  expect(syslog.parse('Mar  6 04:07:28 host sshd[3]: [ID 702911 auth.info] Connection from 192.0.2.7')).toMatchObject({
    msgid: '702911',
    action: 'connected',
    source_ip: '192.0.2.7',
  })
})
