import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { syslog } from './syslog.ts'

const read = (text: string) => syslog.parse(text) as JsonObject | undefined

describe('the header', () => {
  test.each<[string, string, JsonObject | undefined]>([
    [
      'one digit of a day, two spaces',
      'Feb  6 15:16:30 host app[7]: x',
      { timestamp: 'Feb  6 15:16:30', hostname: 'host', appname: 'app', procid: '7', message: 'x' },
    ],
    [
      'one digit of a day, one space, and a fraction',
      'Feb 6 15:16:30.123 host app: x',
      { timestamp: 'Feb 6 15:16:30.123', hostname: 'host', appname: 'app', message: 'x' },
    ],
    [
      'a year before the time (Cisco)',
      '<13>Feb  6 2024 15:16:30 host app: x',
      {
        priority: 13,
        facility: 1,
        severity: 5,
        timestamp: 'Feb  6 2024 15:16:30',
        hostname: 'host',
        appname: 'app',
        message: 'x',
      },
    ],
    [
      'a year after the time',
      'Feb  6 15:16:30 2024 host app: x',
      { timestamp: 'Feb  6 15:16:30 2024', hostname: 'host', appname: 'app', message: 'x' },
    ],
    [
      'an ISO time and two spaces after the tag (rsyslog)',
      '2020-05-31T00:00:45.698463+00:00 host rsyslogd:  x',
      { timestamp: '2020-05-31T00:00:45.698463+00:00', hostname: 'host', appname: 'rsyslogd', message: 'x' },
    ],
    [
      'a severity in place of the host (Chrome OS)',
      '2016-10-25T12:37:24.987-07:00 WARNING kernel: [  316.5] x',
      { timestamp: '2016-10-25T12:37:24.987-07:00', severity: 4, appname: 'kernel', message: '[  316.5] x' },
    ],
    [
      'a severity after the tag (macOS)',
      'Mar 11 19:26:45 host app[19] <Error>: x',
      { timestamp: 'Mar 11 19:26:45', hostname: 'host', severity: 3, appname: 'app', procid: '19', message: 'x' },
    ],
    ['no host', 'Nov 18 08:30:20 kernel: [9.3] x', { timestamp: 'Nov 18 08:30:20', appname: 'kernel', message: '[9.3] x' }],
    ['neither host nor tag', 'Nov 18 01:15:43: --- x ---', { timestamp: 'Nov 18 01:15:43', message: '--- x ---' }],
    [
      'no tag',
      'Nov 18 01:15:43 host last message repeated 5 times',
      { timestamp: 'Nov 18 01:15:43', hostname: 'host', message: 'last message repeated 5 times' },
    ],
    [
      'a tag without a colon',
      'Nov 18 01:15:43 host log_tag !@#$%',
      { timestamp: 'Nov 18 01:15:43', hostname: 'host', appname: 'log_tag', message: '!@#$%' },
    ],
    [
      'a first word that is not a tag',
      'Nov 18 01:15:43 host key=value more',
      { timestamp: 'Nov 18 01:15:43', hostname: 'host', message: 'key=value more' },
    ],
    [
      'a tag in brackets',
      'Nov 18 01:15:43 host [app]: x',
      { timestamp: 'Nov 18 01:15:43', hostname: 'host', appname: 'app', message: 'x' },
    ],
    [
      'a path and a module in the tag',
      'Nov 18 01:15:43 host /usr/bin/x(y)[1]: z',
      { timestamp: 'Nov 18 01:15:43', hostname: 'host', appname: '/usr/bin/x(y)', procid: '1', message: 'z' },
    ],
    ['a priority and nothing else that is known', '<13>hello', { priority: 13, facility: 1, severity: 5, message: 'hello' }],
    [
      'a message of several lines',
      'Nov 18 01:15:43 host a: x\n\ty',
      { timestamp: 'Nov 18 01:15:43', hostname: 'host', appname: 'a', message: 'x\n\ty' },
    ],
    ['a priority above 191', '<192>Nov 18 01:15:43 host a: x', undefined],
    ['a month that does not exist', 'MMM 22 07:54:32 host a: x', undefined],
    ['a continuation line', '\tmany syslog parsers.', undefined],
  ])('%s', (_, text, expected) => expect(read(text)).toEqual(expected))
})

describe('RFC 5424', () => {
  const header = { priority: 165, facility: 20, severity: 5, version: 1, timestamp: '2003-10-11T22:14:15.003Z' }
  const start = '<165>1 2003-10-11T22:14:15.003Z'

  test.each<[string, string, JsonObject]>([
    ['absent values', `${start} - - - - - x`, { message: 'x' }],
    ['no message', `${start} host app 1 ID47 -`, { hostname: 'host', appname: 'app', procid: '1', msgid: 'ID47', message: '' }],
    ['a byte order mark', `${start} - - - - - \ufeffé`, { message: 'é' }],
    [
      'two elements, escapes, and a bracket in a value',
      `${start} - - - - [a@1 x="\\"q\\" \\\\ \\] \\n" y="[]"][b] x`,
      { structured_data: { 'a@1': { x: '"q" \\ ] \\n', y: '[]' }, b: {} }, message: 'x' },
    ],
    [
      'a repeated parameter',
      `${start} - - - - [origin ip="192.0.2.1" ip="192.0.2.2"]`,
      { structured_data: { origin: { ip: ['192.0.2.1', '192.0.2.2'] } }, message: '' },
    ],
    ['data without quotes, as ESXi writes it', `${start} - - - - [a@1 sub=x] m`, { message: '[a@1 sub=x] m' }],
    ['no structured data', `${start} - - - - free text`, { message: 'free text' }],
  ])('%s', (_, text, expected) => expect(read(text)).toEqual({ ...header, ...expected }))

  test.each([
    ['a version that is not a number', '<165>x 2003-10-11T22:14:15.003Z h a p m - x'],
    ['a time in another format', '<165>1 yesterday h a p m - x'],
  ])('%s is an RFC 3164 message without a time', (_, text) => {
    expect(read(text)).toEqual({ priority: 165, facility: 20, severity: 5, message: text.slice(5) })
  })
})

test('the same message gives the same event in every dialect', () => {
  const expected = { hostname: 'web1', appname: 'cron', procid: '18', message: '(root) CMD (true)', action: 'job_started' }
  const texts = [
    'Mar  6 04:07:28 web1 cron[18]: (root) CMD (true)',
    '<78>Mar  6 04:07:28 web1 cron[18]: (root) CMD (true)',
    '2024-03-06T04:07:28.1+00:00 web1 cron[18]: (root) CMD (true)',
    '<78>2024-03-06T04:07:28.1+00:00 web1 cron[18]:  (root) CMD (true)',
    '<78>1 2024-03-06T04:07:28.1+00:00 web1 cron 18 - -  (root) CMD (true)',
  ]
  for (const text of texts) expect(read(text)).toMatchObject(expected)
})
