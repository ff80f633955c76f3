import { describe, expect, test } from 'vitest'
import { fastmatch } from './fastmatch.ts'
import { expandGrok } from './grok.ts'
import { grokPatterns } from './grok-patterns.ts'
import { regex } from './regex.ts'
import { Miss } from './text-parser.ts'

function match(pattern: string, text: string) {
  const reading = fastmatch
    .create(fastmatch.settings.parse({ match: [pattern] }))
    .open('')
    .read(text)
  return reading instanceof Miss ? reading.reason : reading
}

describe('fastmatch', () => {
  test.each<[string, string, object | string]>([
    ['%{a} %{b}', 'one two three', { a: 'one', b: 'two three' }],
    ['%{a} %{b}', 'one', 'no_match'],
    ['<%{a}>', '<one>', { a: 'one' }],
    ['<%{a}>', '<one> two', 'no_match'],
    ['%{a} %{} %{c}', 'one two three', { a: 'one', c: 'three' }],
    ['%{a}="%{b}"', 'x="say \\"hi\\" \\\\"', { a: 'x', b: 'say "hi" \\' }],
    ["'%{a}' %{b}", "'it\\'s' 1", { a: "it's", b: '1' }],
    ['%{a}: %{__proto__}', 'x: y', JSON.parse('{"a":"x","__proto__":"y"}')],
    ['%{a} %{b}\n', 'one two', { a: 'one', b: 'two' }],
  ])('%s reads %s', (pattern, text, expected) => {
    expect(match(pattern, text)).toEqual(expected)
  })

  test.each([
    ['a', 'at least four characters'],
    ['abcd', 'at least one field'],
    ['%{a}%{b}', 'nothing separates %{a} from %{b}'],
    ['%{a} %{a}', "the field 'a' is there twice"],
    ['%{a}\n%{b}', 'a line break can only be at the end'],
  ])('%s is refused', (pattern, message) => {
    const { error } = fastmatch.settings.safeParse({ match: ['%{ok} %{b}', pattern] })
    expect(error?.issues[0]).toMatchObject({ path: ['match', 1], message: expect.stringContaining(message) })
  })
})

function find(settings: object, text: string) {
  const reading = regex.create(regex.settings.parse(settings)).open('').read(text)
  return reading instanceof Miss ? reading.reason : reading
}

describe('regex', () => {
  test('parts are joined without anything between them', () => {
    expect(find({ match: ['(?P<a>\\w+)', '-(?P<b>\\d+)'] }, 'x-12')).toEqual({ a: 'x', b: '12' })
    expect(find({ match: ['^(?P<a>\\w+)', '-(?P<b>\\d+)$'] }, 'x 12')).toBe('no_match')
  })

  test('a field may have any name, and take part in one branch of several', () => {
    const settings = { match: ['(?:a=%{INT:http.status-code}|b=%{INT:http.status-code})'] }
    expect(find(settings, 'b=7')).toEqual({ 'http.status-code': '7' })
  })

  test.each<[object, string]>([
    [{ match: ['(a'] }, 'missing closing )'],
    [{ match: ['(?=a)(?P<x>a)'] }, 'there are no lookarounds'],
    [{ match: ['abc'] }, 'has no fields'],
    [{ match: ['%{NONESUCH:a}'] }, "there is no pattern 'NONESUCH'"],
    [{ match: ['%{A:a}'], patternDefinitions: { A: '%{B}', B: 'x%{A}' } }, "the pattern 'A' contains itself (A → B → A)"],
    [{ match: ['%{INT:a:int}'] }, 'types are given by the fields of the schema'],
    [{ match: ['(?P<a>(?:x{500}y{500}){20})'] }, 'invalid repeat count'],
    [
      {
        match: ['%{E:a}'],
        patternDefinitions: Object.fromEntries(
          [...'ABCDE'].map((n, i) => [n, i === 0 ? 'x'.repeat(99) : `%{${'ABCDE'[i - 1]}}`.repeat(9)]),
        ),
      },
      'more than 65536 characters',
    ],
  ])('%j is refused', (settings, message) => {
    expect(regex.settings.safeParse(settings).error?.issues[0]).toMatchObject({
      path: ['match'],
      message: expect.stringContaining(message),
    })
  })
})

/** A text for each pattern that it must match as a whole, and one that it must not. */
const EXAMPLES: Readonly<Record<string, readonly [fits: string, not: string]>> = {
  INT: ['-12', '1.5'],
  NUMBER: ['-1.5', 'a'],
  BASE16NUM: ['0xFf', 'xyz'],
  POSINT: ['10', '0'],
  BOOLEAN: ['True', 'yes'],
  WORD: ['word_1', 'two words'],
  NOTSPACE: ['a-b', 'a b'],
  QUOTEDSTRING: ['"a \\" b"', '"a'],
  UUID: ['123e4567-e89b-12d3-a456-426614174000', '123e4567'],
  MAC: ['00:1A:2b:3c:4d:5e', '00:1A:2b'],
  IPV4: ['192.0.2.255', '192.0.2.256'],
  IPV6: ['2001:db8::7', '2001:db8'],
  IP: ['::ffff:192.0.2.1', '1.2.3'],
  HOSTNAME: ['www.example.com', '-x'],
  IPORHOST: ['10.0.0.1', '!'],
  HOSTPORT: ['www.example.com:443', 'www.example.com'],
  EMAILADDRESS: ['o.brien+x@example.com', '@example.com'],
  UNIXPATH: ['/usr/bin/env', 'usr'],
  WINPATH: ['C:\\Windows\\x.exe', '/usr'],
  TTY: ['/dev/pts/0', '/x'],
  URI: ['https://user@www.example.com:8443/a/b?c=d&e=%20', '//x'],
  URIPATHPARAM: ['/a?b', 'a'],
  MONTH: ['Apr', 'Abc'],
  MONTHDAY: ['31', '32'],
  DAY: ['Friday', 'Foo'],
  TIME: ['23:59:60.123', '25:00'],
  DATE_US: ['04/19/2024', '2024'],
  DATE_EU: ['19.04.2024', '2024'],
  TIMESTAMP_ISO8601: ['2024-04-19T10:00:01.123+02:00', '10:00:01'],
  HTTPDATE: ['19/Apr/2024:10:00:01 +0200', '19/Apr/2024'],
  SYSLOGTIMESTAMP: ['Apr  9 10:00:01', '2024'],
  SYSLOGBASE: ['Apr  9 10:00:01 web-1 sshd[812]:', 'sshd:'],
  LOGLEVEL: ['WARNING', 'loud'],
  DATESTAMP_RFC2822: ['Fri, 19 Apr 2024 10:00:01 +0200', 'Fri'],
  COMBINEDAPACHELOG: ['192.0.2.7 - bob [19/Apr/2024:10:00:01 +0200] "GET /a HTTP/1.1" 200 5 "-" "curl/8"', 'GET'],
}

describe('grok patterns', () => {
  test.each(Object.entries(EXAMPLES))('%s', (name, [fits, not]) => {
    expect(find({ match: [`^%{${name}:whole}$`] }, fits)).toMatchObject({ whole: fits })
    expect(find({ match: [`^%{${name}:whole}$`] }, not)).toBe('no_match')
  })

  test.each(Object.keys(grokPatterns))('%s is complete', (name) => {
    expect(expandGrok(`%{${name}}`, {})).toHaveProperty('pattern')
    expect(regex.settings.safeParse({ match: [`%{${name}:a}`] }).success).toBe(true)
  })
})
