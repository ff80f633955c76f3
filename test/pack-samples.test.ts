import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import { writeMmdb } from '../src/stages/enrich/mmdb/mmdb.fixture.ts'
import { definitions, enrich, packs, tableOf } from './support/packs.ts'

/** Rows as IPinfo publishes them. */
const lite = { asn: 'AS64496', as_name: 'Example', as_domain: 'example.net', country: 'Sweden', country_code: 'SE' }
const location = {
  city: 'Lund',
  country: 'SE',
  lat: '55.70584',
  lng: '13.19321',
  postal_code: '220 00',
  region: 'Skåne',
  region_code: 'M',
  timezone: 'Europe/Stockholm',
}
const asn = { asn: 'AS64496', domain: 'example.net', name: 'Example', route: '192.0.2.0/24', type: 'hosting' }
const privacy = { hosting: 'true', proxy: '', relay: '', service: 'ExampleVPN', tor: '', vpn: 'true' }

function mmdb(row: JsonObject): Buffer {
  return writeMmdb([['192.0.2.0/24', row]])
}

function bytesOf(content: string | Buffer): Promise<Buffer> | Buffer {
  return typeof content === 'string' ? readFile(join(packs, content)) : content
}

/** Content in the published form of each feed, a key, and what its row has. */
const SAMPLES: readonly [name: string, content: string | Buffer, key: string, row: object][] = [
  ['abuseipdb_blacklist', 'abuseipdb/samples/abuseipdb_blacklist.json', '2001:db8::10', { abuseConfidenceScore: 95 }],
  ['maxmind_city', mmdb({ city: { names: { en: 'Lund' } } }), '192.0.2.9', { city: { names: { en: 'Lund' } } }],
  ['maxmind_asn', mmdb({ autonomous_system_number: 64496 }), '192.0.2.9', { autonomous_system_number: 64496 }],
  ['ipinfo_lite', mmdb(lite), '192.0.2.9', lite],
  ['ipinfo_location', mmdb(location), '192.0.2.9', location],
  ['ipinfo_asn', mmdb(asn), '192.0.2.9', asn],
  ['ipinfo_privacy', mmdb(privacy), '192.0.2.9', privacy],
  ['tor_exit_relays', 'tor-relays/samples/tor_exit_relays.json', '2001:db8::10', { ip: '2001:db8::10' }],
  ['feodo_c2', 'abusech/samples/feodo_c2.json', '192.0.2.10', { malware: 'Example', port: 443 }],
  ['urlhaus_hosts', 'abusech/samples/urlhaus_hosts.txt', 'x.malware.example.com', { domain: 'malware.example.com' }],
  ['threatfox_hosts', 'abusech/samples/threatfox_hosts.txt', 'botnet.example.com', { domain: 'botnet.example.com' }],
  [
    'threatfox_ips',
    'abusech/samples/threatfox.json',
    '192.0.2.10',
    { port: 443, confidence_level: 75, threat_type: 'botnet_cc' },
  ],
  ['threatfox_hashes', 'abusech/samples/threatfox.json', '0123456789ABCDEF'.repeat(4), { ioc_type: 'sha256_hash' }],
  [
    'sslbl_certificates',
    'abusech/samples/sslbl_certificates.csv',
    '0123456789abcdef0123456789abcdef01234567',
    { listing_date: '2024-03-12 08:10:51', listing_reason: 'Example C&C' },
  ],
  ['spamhaus_drop', 'spamhaus/samples/spamhaus_drop.json', '192.0.2.77', { sblid: 'SBL000001' }],
  ['spamhaus_drop_v6', 'spamhaus/samples/spamhaus_drop_v6.json', '2001:db8::1', { sblid: 'SBL000001' }],
  ['spamhaus_asndrop', 'spamhaus/samples/spamhaus_asndrop.json', '64496', { asname: 'EXAMPLE-AS' }],
  ['ipsum', 'reputation/samples/ipsum.txt', '192.0.2.10', { note: '9' }],
  ['firehol_level1', 'reputation/samples/firehol_level1.netset', '192.0.2.99', { cidr: '192.0.2.0/24' }],
  ['x4bnet_vpn', 'reputation/samples/x4bnet_vpn.txt', '198.51.100.9', { cidr: '198.51.100.0/25' }],
  ['x4bnet_vpn_v6', 'reputation/samples/x4bnet_vpn_v6.txt', '2001:db8:1::9', { cidr: '2001:db8:1::/48' }],
  ['dshield_block', 'reputation/samples/dshield_block.txt', '192.0.2.255', { cidr: '192.0.2.0/24' }],
  ['cloud_aws', 'clouds/samples/cloud_aws.json', '192.0.2.9', { list: 'List of Amazon Web Services networks' }],
  ['cloud_azure', 'clouds/samples/cloud_azure.json', '2001:db8::9', { cidr: '2001:db8::/32' }],
  ['cloud_google', 'clouds/samples/cloud_google.json', '192.0.2.9', { cidr: '192.0.2.0/24' }],
  ['cloud_cloudflare', 'clouds/samples/cloud_cloudflare.json', '192.0.2.9', { cidr: '192.0.2.0/24' }],
  ['disposable_domains', 'disposable/samples/disposable_domains.conf', 'mailinator.example', { domain: 'mailinator.example' }],
  ['tranco', 'tranco/samples/tranco.csv', 'www.example.com', { rank: '2', domain: 'example.com' }],
  ['cisa_kev', 'kev/samples/cisa_kev.csv', 'cve-2021-44228', { knownRansomwareCampaignUse: 'Known' }],
  ['TrailDiscover', 'traildiscover/samples/TrailDiscover.json', 'StopLogging', { usedInWild: true }],
]

/** Tables with content of the user's own, or that is shipped (tested with the tables), and those that ask services (pack-feeds.test.ts). */
const OWN = /^(allowed_ports|tor_exit_nodes|greynoise_.*|geoip_.*|.*_otx|misp_.*|dbip_.*|abuseipdb_check)$/

test('every shipped table has a sample', () => {
  const missing = definitions.filter(({ name }) => !OWN.test(name) && !SAMPLES.some(([one]) => one === name))
  expect(missing.map(({ name }) => name)).toEqual([])
})

test.each(SAMPLES)('%s reads content in the published form', async (name, content, key, row) => {
  const bytes = await bytesOf(content)
  const table = await tableOf(name, { bytes })
  expect(table.get(key)).toMatchObject(row)
  const field = table.binding.automatic
  if (field === undefined) return
  expect(await enrich(name, { p_log_type: 'Custom.Auth', [field]: ['other', key] }, { bytes })).toMatchObject({
    [name]: { [field]: [{ ...row, p_match: key }] },
  })
})

/** Found by a field that an extension names. */
const BY_FIELD = ['cisa_kev', 'spamhaus_asndrop', 'TrailDiscover']

test('every other table is joined to any log', async () => {
  for (const [name, content] of SAMPLES) {
    const { binding } = await tableOf(name, { bytes: await bytesOf(content) })
    expect(binding.automatic === undefined, name).toBe(BY_FIELD.includes(name))
  }
})
