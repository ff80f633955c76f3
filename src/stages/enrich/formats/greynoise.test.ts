import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { greynoise } from './greynoise.ts'

const ip = '192.0.2.10'
const link = `https://viz.greynoise.io/ip/${ip}`
const community = {
  ip,
  noise: true,
  riot: false,
  classification: 'malicious',
  name: 'unknown',
  link,
  last_seen: '2024-04-19',
  message: 'Success',
}
const quick = { ip, noise: true, riot: false, code: '0x01' }
const context = {
  ip,
  seen: true,
  first_seen: '2024-01-02',
  last_seen: '2024-04-19',
  tags: ['SSH Bruteforcer'],
  classification: 'malicious',
  cve: ['CVE-2018-15473'],
  bot: false,
  metadata: { asn: 'AS64496', tor: true },
  raw_data: { scan: [{ port: 22, protocol: 'TCP' }] },
}
const contextRow = { ...without(context, 'seen', 'raw_data'), noise: true, tor: true, link }
const version3 = {
  ip,
  business_service_intelligence: { found: true, name: 'Example DNS', trust_level: '1' },
  internet_scanner_intelligence: {
    found: true,
    first_seen: '2024-02-01',
    classification: 'suspicious',
    vpn: true,
    tor: false,
    cves: ['CVE-2018-15473'],
    tags: [{ id: '1', slug: 'web-crawler', name: 'Web Crawler' }],
    metadata: { asn: 'AS64497' },
    raw_data: {},
  },
  request_metadata: { restricted_fields: [] },
}
const { raw_data: _, ...scanner } = version3.internet_scanner_intelligence
const version3Row = {
  ip,
  noise: true,
  riot: true,
  name: 'Example DNS',
  ip_cidr: `${ip}/32`,
  provider: { name: 'Example DNS', trust_level: '1' },
  trust_level: '1',
  internet_scanner_intelligence: scanner,
  business_service_intelligence: version3.business_service_intelligence,
  first_seen: '2024-02-01',
  classification: 'suspicious',
  vpn: true,
  tor: false,
  cve: ['CVE-2018-15473'],
  tags: ['Web Crawler'],
  metadata: { asn: 'AS64497', tor: false },
  link,
}

const service = {
  found: true,
  name: 'Example DNS',
  category: 'public_dns',
  trust_level: '1',
  last_updated: '2024-04-19T00:00:00Z',
}

describe('answers about addresses', () => {
  const cases: [what: string, answer: unknown, rows: unknown[]][] = [
    ['community', community, [community]],
    ['quick', quick, [{ ...quick, link }]],
    ['multi-quick', [quick, { ...quick, ip: '192.0.2.11', noise: false }], [{ ...quick, link }]],
    ['context', context, [contextRow]],
    ['a GNQL page', { complete: true, count: 1, data: [context], message: '', query: 'x' }, [contextRow]],
    ['version 3', version3, [version3Row]],
    ['a version 3 page', { data: [version3], request_metadata: {} }, [version3Row]],
    [
      'version 3 quick',
      { ip, internet_scanner_intelligence: { found: true, classification: 'benign' } },
      [
        {
          ip,
          noise: true,
          classification: 'benign',
          link,
          internet_scanner_intelligence: { found: true, classification: 'benign' },
          business_service_intelligence: {},
        },
      ],
    ],
    [
      'a scanner block with an address of its own',
      { ip: '192.0.2.99', internet_scanner_intelligence: { ip, seen: true } },
      [
        {
          ip,
          noise: true,
          link,
          internet_scanner_intelligence: { ip, seen: true },
          business_service_intelligence: {},
        },
      ],
    ],
    [
      'a service in version 3',
      { ip, internet_scanner_intelligence: { found: false }, business_service_intelligence: service },
      [
        {
          ip,
          riot: true,
          name: 'Example DNS',
          link,
          ip_cidr: `${ip}/32`,
          provider: { name: 'Example DNS', category: 'public_dns', trust_level: '1' },
          trust_level: '1',
          scan_time: '2024-04-19T00:00:00Z',
          internet_scanner_intelligence: { found: false },
          business_service_intelligence: service,
        },
      ],
    ],
    [
      'a known service',
      {
        ip,
        riot: true,
        noise: false,
        name: 'Example DNS',
        category: 'public_dns',
        trust_level: '1',
        last_updated: '2024-04-19T00:00:00Z',
      },
      [
        {
          ip,
          riot: true,
          name: 'Example DNS',
          category: 'public_dns',
          last_updated: '2024-04-19T00:00:00Z',
          link,
          ip_cidr: `${ip}/32`,
          provider: { name: 'Example DNS', category: 'public_dns', trust_level: '1' },
          trust_level: '1',
          scan_time: '2024-04-19T00:00:00Z',
        },
      ],
    ],
    ['several answers of all kinds', [community, { data: [context] }, version3], [community, contextRow, version3Row]],
    ['not seen', { ip, noise: false, riot: false }, []],
    [
      'an IPv6 service',
      { ip: '2001:db8::1', riot: true },
      [
        {
          ip: '2001:db8::1',
          riot: true,
          ip_cidr: '2001:db8::1/128',
          provider: {},
          link: 'https://viz.greynoise.io/ip/2001:db8::1',
        },
      ],
    ],
    ['version 3 not found', { ip, internet_scanner_intelligence: { found: false } }, []],
  ]
  test.each(cases)('%s', (_, answer, rows) => expect(read(JSON.stringify(answer, null, 2))).toEqual(rows))

  test('one response per line', () => {
    expect(read(`${JSON.stringify(community)}\n\n${JSON.stringify(context)}\n`)).toEqual([community, contextRow])
  })
})

describe('answers about other things are shown as such', () => {
  const cases: [what: string, answer: unknown, sentence: RegExp][] = [
    ['stats', { count: 1, query: 'x', stats: {} }, /not a response about addresses \(it has count, query, stats\)/],
    ['tags', { metadata: [] }, /not a response about addresses/],
    ['similar', { ip: { ip }, similar_ips: [] }, /not a response about addresses/],
    ['timeline', { ip, activity: [] }, /says nothing about noise/],
    ['text', 'hello', /is not a JSON object/],
    ['an element', [community, 7], /element 1 is not a JSON object/],
  ]
  test.each(cases)('%s', (_, answer, sentence) => expect(read(JSON.stringify(answer)).at(-1)).toMatch(sentence))
})

test.each([
  [
    'a comma too many',
    '{"ip":"192.0.2.10","noise":true,}',
    /not a GreyNoise response: not JSON at position 32.*documentation are not always strict JSON/,
  ],
  ['a cut-off page', '{\n"data": [\n', /not a GreyNoise response: not JSON/],
  ['a broken second line', `${JSON.stringify(community)}\n{"ip":\n`, /not a GreyNoise response in line 2/],
])('refused: %s', (_, text, message) => expect(() => read(text)).toThrow(message))

function read(text: string) {
  return [...(greynoise.read(text, { primaryKey: 'ip' }) as Iterable<readonly (JsonObject | string)[]>)].flat()
}

function without(object: JsonObject | object, ...keys: string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}
