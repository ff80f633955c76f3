import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outgoingAlert } from '../../../test/support/alerts.ts'
import { alertText, defanged } from './text.ts'

/** What programs that make links look for. `hxxps://` is what people write instead, and nothing opens it. */
function clickable(text: string): string | undefined {
  return /https?:\/\/|(?<!hxxps?):\/\/|www\./i.exec(text)?.[0]
}

test('whatever surrounds an address, nothing of it can be clicked', () => {
  const pieces = [
    'http://',
    'HTTPS://',
    'hxxp://',
    'ftp://',
    '://',
    'www.',
    'h',
    'tt',
    'ps:',
    '/',
    ':',
    'w',
    '.',
    '_',
    '1',
    'a.b',
    ' ',
  ]
  const piece = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...pieces) }, fc.string({ unit: 'binary', maxLength: 40 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
      const safe = defanged(parts.join(''))
      expect(clickable(safe)).toBeUndefined()
      expect(defanged(safe)).toBe(safe)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['_https://evil.example/a', '_hxxps://evil.example/a'],
  ['1https://evil.example', '1hxxps://evil.example'],
  ['user_HTTPS://evil.example', 'user_HxxPS://evil.example'],
  [`${'a'.repeat(40)}https://evil.example`, `${'a'.repeat(40)}hxxps://evil.example`],
  ['_www.evil.example wwww.evil.example', '_www[.]evil.example wwww[.]evil.example'],
  ['ftp://a _ssh://b ://c', 'ftp[:]//a _ssh[:]//b [:]//c'],
  ['_mailto:a@b.c 1javascript:alert(1)', '_mailto[:]a@b.c 1javascript[:]alert(1)'],
  ['metadata: 1, hotel: 2', 'metadata: 1, hotel: 2'],
])('%s becomes %s', (text, safe) => {
  expect(defanged(text)).toBe(safe)
})

test('people read how often the values of summary attributes occurred', () => {
  const values = [{ value: 'http://evil.example', count: 7 }]
  const summaries = [
    { attribute: 'p_any_ip_addresses', values: [{ value: '192.0.2.1', count: 3 }], isEstimated: false },
    { attribute: 'url', values, isEstimated: true },
  ]
  const { facts } = alertText({ kind: 'opened', alert: outgoingAlert({ summaries }) })
  const shown = Object.fromEntries(facts)
  expect(shown).toMatchObject({ 'IP addresses': '192.0.2.1 (3)', 'Top url': 'hxxp://evil.example (at least 7)' })
})

const referenceOf = (reference: string) => alertText({ kind: 'opened', alert: outgoingAlert({ reference }) }).reference

test.each([
  ['https://example.com/wiki/Tor_(network)#a!b', 'https://example.com/wiki/Tor%5F%28network%29#a%21b'],
  ['https://example.com/) @everyone', undefined],
  ['https://example.com/)![x](https://evil.example/p.png', 'https://example.com/%29%21%5Bx%5D%28https://evil.example/p.png'],
  ['https://example.com/a?q=[1]@all&r=|{x}', 'https://example.com/a?q=%5B1%5D%40all&r=%7C%7Bx%7D'],
  ['http://[2001:db8::1]:8080/a[0]', 'http://[2001:db8::1]:8080/a%5B0%5D'],
  ['https://intra_net.example:8443/%28a', 'https://intra_net.example:8443/%28a'],
  ['https://github.com@evil.example/', undefined],
  ['https://a)[b](c.example/', undefined],
  ['javascript:alert(1)', undefined],
  ['https://[', undefined],
])('the reference %s is a link to %s', (given, link) => {
  expect(referenceOf(given)).toBe(link)
})

test('a reference that is too long once it is encoded is not shown', () => {
  expect(referenceOf(`https://example.com/${'€'.repeat(200)}`)).toHaveLength(20 + 9 * 200)
  expect(referenceOf(`https://example.com/${'€'.repeat(900)}`)).toBeUndefined()
})

test('a reference has no markup of its own, and leads to the same resource', () => {
  const rest = fc.string({
    unit: fc.oneof(fc.constantFrom(...'()[]!@\'"`*_~<>|{}^\\?#/%'), fc.string({ unit: 'binary' })),
    maxLength: 60,
  })
  fc.assert(
    fc.property(rest, (text) => {
      const link = referenceOf(`https://example.com/${text}`)
      if (link === undefined) {
        expect(text).toMatch(/\s/)
        return
      }
      expect(link).not.toMatch(/[()[\]!@'"`*_~<>|{}^\\\s]/)
      const [before, after] = [new URL(`https://example.com/${text}`), new URL(link)]
      for (const part of ['host', 'pathname', 'search', 'hash'] as const) expect(decoded(after[part])).toBe(decoded(before[part]))
    }),
    { numRuns: 1000 },
  )
})

function decoded(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
