import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { configSchema } from '../config/config.ts'
import { testTable } from '../engine/test-table.ts'

const folder = mkdtempSync(join(tmpdir(), 'caracal-table-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

writeFileSync(join(folder, 'list.csv'), 'ip,owner\n192.0.2.1,ada\n192.0.2.2,bob\nnone,cid\n')
writeFileSync(
  join(folder, 'hosts.yml'),
  'AnalysisType: lookup_table\nLookupName: hosts\nFilename: list.csv\nMatch: ip\nChecks: { MinRows: 5, MustMatch: [192.0.2.9] }\nLogTypeMap: { PrimaryKey: ip }\n',
)
const settings = { config: configSchema.parse({ content: [folder] }), cacheFolder: join(folder, 'cache') }
const file = join(folder, 'list.csv')

test('a file is read as a table of the content would, with its checks', async () => {
  expect(await testTable(file, { table: 'hosts' }, settings)).toMatchObject({
    match: 'ip',
    rows: 2,
    skipped: 1,
    examples: [expect.stringContaining('"none"')],
    failed: [expect.stringContaining('MinRows (5)'), expect.stringContaining('"192.0.2.9"')],
  })
  await expect(testTable(file, { table: 'nope' }, settings)).rejects.toThrow(/no table 'nope'. Known: .*hosts/)
})

test('a file is read without a definition', async () => {
  expect(await testTable(file, { key: 'owner', format: undefined }, settings)).toMatchObject({
    match: 'exact',
    rows: 3,
    failed: [],
  })
  await expect(testTable(join(folder, 'no.csv'), { key: 'ip', format: undefined }, settings)).rejects.toThrow(/cannot be read/)
})
