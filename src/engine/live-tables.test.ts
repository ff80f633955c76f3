import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readLocalContent, shippedPath } from '../stages/enrich/local-content.ts'
import { LiveTables } from './live-tables.ts'
import { loadPath } from './path.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'live-tables-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const INLINE = `AnalysisType: lookup_table
LookupName: offices
Inline:
  - { net: 192.0.2.0/24, site: Bern, floors: 3, since: 2024-03-01, tags: [lab, quiet] }
  - { net: 198.51.100.0-198.51.100.9, site: null }
LogTypeMap: { PrimaryKey: net }
`

test('rows in a definition are the table, in force as in checks', async () => {
  writeFileSync(join(folder, 'offices.yml'), INLINE)
  const loaded = await loadPath({ content: [folder] })
  const { definition } = loaded.tables.get('offices')!
  const tables = new LiveTables(loaded)
  const path = shippedPath(definition)!
  expect(path).toBe(join(folder, 'offices.yml'))
  const table = await tables.build('offices', path, path, undefined)
  expect(table.get('192.0.2.7')).toEqual({
    net: '192.0.2.0/24',
    site: 'Bern',
    floors: 3,
    since: '2024-03-01',
    tags: ['lab', 'quiet'],
  })
  expect([table.match, table.get('198.51.100.9')?.['site'], table.get('198.51.100.10')]).toEqual(['cidr', null, undefined])
  // What validate and run read.
  const local = await readLocalContent(definition, join(folder, 'data'))
  expect(JSON.parse(Buffer.from(local!.bytes).toString())).toHaveLength(2)
})
