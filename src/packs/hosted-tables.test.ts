import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../util/entry.ts'
import { checkNames } from './checks/index.ts'
import { compileFiles } from './compile.ts'
import { hostedNotices } from './hosted-tables.ts'
import { loadContent } from './load.ts'
import { packsOff, withoutPacks } from './packs.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hosted-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A definition as in Panther's public content. */
function hosted(name: string, types = '[{ LogType: Zeek.Conn, Selectors: [] }]', more = ''): void {
  mkdirSync(join(folder, 'lookup_tables'), { recursive: true })
  writeFileSync(
    join(folder, `lookup_tables/${name}.yml`),
    `AnalysisType: lookup_table
LookupName: "${name}"
Schema: Tor.ExitNode
Refresh:
  RoleARN: arn:aws:iam::123456789012:role/panther-example-access-role
  ObjectPath: s3://panther-example-abcdefghijklmnopqrstuvwxyz-s3alias/luts/data/${name}.csv
  PeriodMinutes: 60
Enabled: true
LogTypeMap:
  PrimaryKey: ip
  AssociatedLogTypes: ${types}
${more}`,
  )
}

async function load(enabled_packs: readonly string[] = []) {
  const read = await loadContent([join(packageRoot(), 'packs'), folder])
  const content = withoutPacks(read, packsOff(read.packs, { enabled_packs }))
  return { content, compiled: compileFiles(content), notices: hostedNotices(content, content) }
}

test('a table that only the service can fill adds its selectors to the shipped one of the same name', async () => {
  hosted('tor_exit_nodes', '[{ LogType: Acme.Log, Selectors: ["$.client.ip", src] }, { LogType: Zeek.Conn, Selectors: [] }]')
  const { compiled, notices, content } = await load()
  const { definition } = compiled.tables.get('tor_exit_nodes')!
  expect(definition.file).toBe(join(packageRoot(), 'packs/tor/tables/tor_exit_nodes.yml'))
  expect(definition.added.map(({ logType, selectors }) => [logType, selectors])).toEqual([['Acme.Log', ['$.client.ip', 'src']]])
  expect([content.problems, compiled.problems]).toEqual([[], []])
  expect(notices).toEqual([expect.stringMatching(/tor_exit_nodes.*bucket of Panther's service: pack Caracal.Tor is used, with/)])
})

test('while the pack is off, the table is missing and the message names the pack and the key', async () => {
  hosted('ipinfo_asn', '[{ LogType: Acme.Log, Selectors: [ip] }]')
  const off = await load()
  expect([off.compiled.tables.has('ipinfo_asn'), off.compiled.problems]).toEqual([false, []])
  expect(off.notices.join()).toMatch(
    /pack Caracal.IPinfo \(off until you enable it\) is used, with the selectors of this file; it needs the key 'ipinfo'/,
  )
  const on = await load(['Caracal.IPinfo'])
  expect(on.compiled.tables.get('ipinfo_asn')?.definition.added).toHaveLength(1)
})

test('without a shipped table the message says what to do, and ranges for SQL have a twin', async () => {
  hosted('other_table')
  hosted('ipinfo_asn_datalake')
  const { notices, compiled } = await load()
  expect(compiled.problems).toEqual([])
  expect(notices.find((text) => text.includes("'other_table'"))).toMatch(/define a table of that name with Filename or Provider/)
  expect(notices.find((text) => text.includes('_datalake'))).toMatch(
    /the table 'ipinfo_asn' of pack Caracal.IPinfo .* has the same rows/,
  )
})

test('log types and fields that only the service has are no mistakes', async () => {
  hosted('tor_exit_nodes', '[{ LogType: Zeek.DHCP, Selectors: [nothing] }, { LogType: Zeek.Conn, Selectors: [missing] }]')
  const { content, compiled } = await load()
  const { schemas, tables } = compiled
  const names = checkNames(content, { known: { content, schemas, tables }, sources: undefined, destinations: undefined })
  expect(names.problems).toEqual([])
})

test('a bucket of one’s own is not one of these', async () => {
  hosted('mine')
  const file = join(folder, 'lookup_tables/mine.yml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/s3:\S+/, 's3://my-bucket/list.csv'))
  expect((await load()).notices).toEqual([])
})

test('the schema of a table’s rows is no log type while its pack is off', async () => {
  const { compiled, content } = await load()
  expect(content.tablesOff.map(({ name }) => name)).toContain('threatfox_ips')
  expect(compiled.schemas.has('ThreatFox.Address')).toBe(false)
})
