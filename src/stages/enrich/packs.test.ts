import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  definitionOf,
  definitions,
  enrich,
  packs,
  readYaml,
  schemaOf,
  schemas,
  shapeOf,
  tableOf,
} from '../../../test/support/packs.ts'
import { fits, has, selectorsFor } from './associations.ts'
import { readLocalContent } from './local-content.ts'

/** Log types of other vendors come with the user's content. */
const vendorOf = (logType: string) => logType.split('.')[0]!
const vendors = new Set([...schemas.keys()].map(vendorOf))

test.each(definitions)('$name has a schema, and selectors that exist in some of its log types', (definition) => {
  expect(definition.key.columns.every((column) => schemaOf(definition)?.fields?.has(column) ?? true)).toBe(true)
  for (const { logType, selectors } of definition.associations) {
    if (!vendors.has(vendorOf(logType))) continue
    const fitting = [...schemas.keys()].filter((name) => fits(logType, name)).map(shapeOf)
    for (const selector of selectors)
      expect(
        fitting.some((shape) => has(shape, selector)),
        `${logType} ${selector}`,
      ).toBe(true)
  }
})

/** The joins of the tables from the time when each definition listed every log type. */
const ORIGINATOR = `
  Analyzer AnalyzerDebug Conn DNS DceRpc Dhcp Dnp3 Dpd Files Ftp HTTP Intel Irc Kerberos Ldap LdapSearch Modbus
  ModbusRegisterChange MqttConnect MqttPublish MqttSubscribe Mysql Notice NoticeAlarm Ntlm Ntp NtpControl
  NtpPrivate OpenConn OpenHttp OpenSsl Postgresql Quic Radius Rdp Redis Rfb SSH Sip SmbCmd SmbFiles SmbMapping
  Smtp Snmp Socks Ssl Syslog Tunnel Websocket Weird`
const LISTED = ORIGINATOR.trim()
  .split(/\s+/)
  .map((name) => `Zeek.${name}`)

describe.each([
  ['tor_exit_nodes', ['id_orig_h']],
  ['greynoise_noise_basic', ['id_orig_h', 'id_resp_h']],
  ['greynoise_noise_advanced', ['id_orig_h', 'id_resp_h']],
] as const)('%s is joined on what it was joined on before it had patterns', (name, selectors) => {
  const { associations, added } = definitionOf(name)
  const automatic = schemaOf(definitionOf(name))!.automaticOf('ip')
  const joined = (logType: string) => selectorsFor({ associations, added, automatic }, shapeOf(logType))

  test.each(LISTED)('%s', (logType) => {
    expect(joined(logType)).toEqual(/Notice/.test(logType) ? [...selectors, 'src'] : selectors)
  })

  test('every other log type by its addresses', () => {
    const others = [...schemas.keys()].filter((logType) => !LISTED.includes(logType))
    expect(others.length).toBeGreaterThan(10)
    expect(others.filter((logType) => joined(logType).join() !== 'p_any_ip_addresses')).toEqual([])
  })
})

test('no pack with tables from a service other than the Tor Project is on by default', () => {
  const on = definitions.filter(({ file, provider }) => {
    const pack = readYaml(join(file, '../../pack.yml'))
    return provider?.type === 'url' && pack['Enabled'] !== false
  })
  expect(on.map(({ name }) => name)).toEqual(['tor_exit_nodes'])
})

describe('Tor', () => {
  test('the shipped list is dated, and the old sample replaces it', async () => {
    const shipped = await tableOf('tor_exit_nodes')
    expect([shipped.version, shipped.size, shipped.skipped.count]).toEqual(['2024-03-12-ec6b7cdf226c', 1174, 0])
    const bytes = await readFile(join(packs, 'tor/samples/tor_exit_nodes.2023-05-15.txt'))
    const event = { p_log_type: 'Zeek.SSH', id_orig_h: '45.139.122.241' }
    expect(await enrich('tor_exit_nodes', event, { bytes })).toMatchObject({
      tor_exit_nodes: { id_orig_h: { ip: '45.139.122.241', p_match: '45.139.122.241' } },
      p_any_ip_addresses: ['45.139.122.241'],
    })
  })

  test('a scan notice, which has no connection, is joined on its source', async () => {
    const event = { p_log_type: 'Zeek.Notice', note: 'Scan::Port_Scan', src: '185.241.208.232' }
    expect(await enrich('tor_exit_nodes', event)).toMatchObject({ tor_exit_nodes: { src: { ip: '185.241.208.232' } } })
  })

  test('other logs are joined on their addresses', async () => {
    const event = { p_log_type: 'Custom.Auth', p_any_ip_addresses: ['192.0.2.1', '185.241.208.232'] }
    expect(await enrich('tor_exit_nodes', event)).toMatchObject({
      tor_exit_nodes: { p_any_ip_addresses: [{ ip: '185.241.208.232' }] },
    })
  })
})

describe('GreyNoise', () => {
  const sample = readFileSync(join(packs, 'greynoise/samples/greynoise.json'))

  test('the table has no content until the user puts a file into the data folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'packs-'))
    try {
      expect(await readLocalContent(definitionOf('greynoise_noise_basic'), folder)).toBeUndefined()
      await mkdir(join(folder, 'tables'))
      await writeFile(join(folder, 'tables/greynoise.json'), sample)
      expect((await readLocalContent(definitionOf('greynoise_noise_basic'), folder))?.bytes).toEqual(sample)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('basic rows contain the assessment, advanced ones everything', async () => {
    const event = { p_log_type: 'Zeek.SSH', id_orig_h: '198.51.100.7', id_resp_h: '2001:db8::5' }
    const basic = { ip: '198.51.100.7', classification: 'malicious', actor: 'unknown', noise: true }
    expect(await enrich('greynoise_noise_basic', event, { bytes: sample })).toMatchObject({
      greynoise_noise_basic: { id_orig_h: basic },
    })
    const advanced = await enrich('greynoise_noise_advanced', event, { bytes: sample })
    expect(advanced).toMatchObject({
      greynoise_noise_advanced: {
        id_orig_h: { ...basic, cve: ['CVE-2018-15473'], tags: ['SSH Bruteforcer'], tor: true, metadata: { asn: 'AS64496' } },
        id_resp_h: { ip: '2001:db8::5', bot: true, vpn: true, vpn_service: 'EXAMPLE_VPN', tags: ['Web Crawler'] },
      },
    })
  })

  test('a community response is in the basic table only, a known service in neither', async () => {
    const [basic, advanced] = await Promise.all(
      ['greynoise_noise_basic', 'greynoise_noise_advanced'].map((name) => tableOf(name, { bytes: sample })),
    )
    const found = (key: string) => [basic!.get(key) !== undefined, advanced!.get(key) !== undefined]
    expect(['192.0.2.10', '192.0.2.20'].map(found)).toEqual([
      [true, false],
      [false, false],
    ])
  })

  test('responses without advanced data make the advanced table empty, not broken', async () => {
    const bytes = Buffer.from(JSON.stringify([{ ip: '192.0.2.1', noise: true, riot: false, code: '0x01' }]))
    expect((await tableOf('greynoise_noise_advanced', { bytes })).size).toBe(0)
  })
})

test.each([
  ['0.0.0.0:22', { port: '22', note: 'SSH' }],
  [':::443', { port: '443', note: 'HTTPS' }],
  ['0.0.0.0:21', undefined],
])('an open port %s is in the list of allowed ports or not', async (local_address, row) => {
  const enrichment = await enrich('allowed_ports', { p_log_type: 'Custom.Netstat', protocol: 'tcp', local_address })
  const expected = row && { allowed_ports: { local_address: { ...row, p_match: local_address } } }
  if (expected) expect(enrichment).toMatchObject(expected)
  else expect(enrichment).toBeUndefined()
})
