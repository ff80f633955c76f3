import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ColumnKind, TableSpec } from '../../model/column.ts'
import { STANDARD_COLUMNS } from '../../model/standard-columns.ts'
import { StorageError } from '../../util/errors.ts'
import { type ChdbLake, createChdbLake } from './chdb.ts'
import { refuseForeign, whyForeignChange, whyForeignTable } from './chdb-definitions.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'caracal-definitions-'))
const lakeDir = join(dataDir, 'lake')
const outside = join(dataDir, 'outside.csv')
let lake: ChdbLake | undefined
const open = async () => (lake = await createChdbLake({ dataDir }))
const close = async () => {
  await lake?.close()
  lake = undefined
}

const KINDS: readonly ColumnKind[] = ['string', 'int', 'smallint', 'bigint', 'float', 'boolean', 'timestamp', 'json', 'strings']
const NAMES = ["we`i(r\\d 'x", 'file(', 'system', 'ENGINE = File', 'Größe']
const own = (kind: (i: number) => ColumnKind): TableSpec => ({
  database: 'logs',
  table: 'own',
  timeColumn: 'p_event_time',
  columns: [
    ...STANDARD_COLUMNS,
    ...KINDS.map((_, i) => ({ name: `c${i}`, kind: kind(i) })),
    ...NAMES.map((name) => ({ name, kind: 'string' as const })),
  ],
})
const view = { name: 'v', table: 'v', isHistory: false, columns: NAMES.map((name) => ({ name, kind: 'text' as const })) }

beforeAll(async () => {
  await open()
  // Every kind of column takes the place of every other one, so the definitions have all the conversions.
  for (let turn = 0; turn < KINDS.length; turn++) await lake!.ensure(own((i) => KINDS[(i + turn) % KINDS.length]!))
  await lake!.showLookups([view, { ...view, name: 'w', isHistory: true, reason: "it's `file('x')` and system.tables" }])
  await lake!.removeSource("it's -- '/*", ['a1'])
  await close()
})
afterAll(async () => {
  await close()
  rmSync(dataDir, { recursive: true, force: true })
})

test('what this program has defined itself is accepted, whatever the names and types', async () => {
  await refuseForeign(lakeDir)
  await open()
  expect((await lake!.query('SELECT count() FROM logs.own')).rows).toEqual(['[0]'])
  await close()
})

const UUID = "UUID '6d4abcc6-70e5-43b3-b26e-a08287c64ad5'"
const COLUMN = `ATTACH TABLE _ ${UUID}\n(\n    \`line\` String\n)\n`
const HOSTILE: readonly [string, string][] = [
  [`${COLUMN}ENGINE = File(LineAsString, '/etc/passwd')`, 'File'],
  [`${COLUMN}engine = URL('http://127.0.0.1/', CSV)`, 'URL'],
  [`${COLUMN}ENGINE = Log`, 'its engine is Log'],
  [`${COLUMN}ENGINE = Merge('system', '.*')`, "Merge ( 'system'"],
  [`${COLUMN}ENGINE = MergeTree\nORDER BY line\nSETTINGS disk = disk(type = local, path = '/')`, 'disk'],
  [`${COLUMN}ENGINE = MergeTree\nORDER BY line\nSETTINGS storage_policy = 'other'`, 'a setting that is not a number'],
  [
    `ATTACH TABLE _ ${UUID}\n(\n    \`line\` String DEFAULT file('/etc/passwd')\n)\nENGINE = MergeTree\nORDER BY line`,
    'it calls file',
  ],
  [
    `ATTACH TABLE _ ${UUID}\n(\n    \`line\` String DEFAULT \`file\`('/etc/passwd')\n)\nENGINE = MergeTree\nORDER BY line`,
    'it calls `file`',
  ],
  [`ATTACH TABLE _ ${UUID} AS file('/etc/passwd', LineAsString)`, 'it calls file'],
  [`${COLUMN}/* ENGINE = MergeTree */ ENGINE = File(CSV)`, 'unexpected'],
  [`${COLUMN}COMMENT $$ ENGINE = MergeTree $$`, 'unexpected'],
  [`ATTACH VIEW _ ${UUID}\n(\n    \`line\` String\n)\nAS SELECT * FROM file('/etc/passwd')`, 'it calls file'],
  [`ATTACH VIEW _ ${UUID}\n(\n    \`name\` String\n)\nAS SELECT name FROM system.users`, 'it names something of system'],
  [
    `ATTACH VIEW _ ${UUID}\n(\n    \`name\` String\n)\nAS SELECT name FROM \`system\`.\`users\``,
    'it names something of `system`',
  ],
  [`ATTACH VIEW _ ${UUID}\n(\n    \`a\` String\n)\nAS SELECT '' AS a SETTINGS readonly = 0`, 'a view with an engine or settings'],
  [`ATTACH MATERIALIZED VIEW _ ${UUID} TO logs.evil AS SELECT 1 FROM logs.own`, 'a view that writes'],
  [
    `ATTACH MATERIALIZED VIEW _ ${UUID}\nREFRESH EVERY 1 SECOND TO monitor.indicators\n(\n \`a\` String\n)\nAS SELECT 1`,
    'it says REFRESH',
  ],
  [`ATTACH DICTIONARY _ ${UUID} (a UInt64) PRIMARY KEY a SOURCE(FILE(PATH '/etc/passwd'))`, 'neither a table nor a view'],
  ['CREATE FUNCTION f AS x -> x', 'neither a table nor a view'],
  ['', 'neither a table nor a view'],
]

test.each(HOSTILE)('%j is refused', (text, why) => {
  expect(whyForeignTable(text)).toContain(why)
})

test.each([
  ["UPDATE line = file(\\'/etc/passwd\\') WHERE 1", 'it calls file'],
  ['DELETE WHERE p_source_id IN (SELECT name FROM system.users)', 'it names something of system'],
])('an unfinished change %j is refused', (commands, why) => {
  expect(whyForeignChange(`format version: 1\ncreate time: 2026-11-29 21:24:41\ncommands: (${commands})\n`)).toContain(why)
})

/** The folder with the definitions of `logs`. */
function logsFolder(): string {
  const [, uuid] = /UUID '([^']+)'/.exec(readFileSync(join(lakeDir, 'metadata/logs.sql'), 'utf8'))!
  return realpathSync(join(lakeDir, 'store', uuid!.slice(0, 3), uuid!))
}

test.each<[string, () => string, string]>([
  ['a table that is a file', () => join(logsFolder(), 'evilfile.sql'), `${COLUMN}ENGINE = File(LineAsString, '/etc/passwd')`],
  [
    'a view that writes to a file by itself',
    () => join(logsFolder(), 'evilview.sql'),
    `ATTACH MATERIALIZED VIEW _ ${UUID}\nREFRESH EVERY 1 SECOND\n(\n    \`a\` UInt8\n)\nENGINE = File(CSV, '${outside}')\nAS SELECT 1 AS a`,
  ],
  ['another database', () => join(lakeDir, 'metadata/evil.sql'), `ATTACH DATABASE _ ${UUID}\nENGINE = Atomic\n`],
  ['an interrupted change', () => join(logsFolder(), 'evil.sql.tmp_drop'), `${COLUMN}ENGINE = File(CSV, '${outside}')`],
])('a lake with %s is not opened, and the file is named', async (_, path, text) => {
  const file = path()
  writeFileSync(file, text)
  try {
    const opened = open()
    await expect(opened).rejects.toThrow(StorageError)
    await expect(opened).rejects.toThrow(`${file} is not a definition of Caracal`)
  } finally {
    await close()
    rmSync(file)
  }
  expect(existsSync(outside)).toBe(false)
})

test('a database of another kind is not opened', async () => {
  const other = mkdtempSync(join(dataDir, 'other-'))
  mkdirSync(join(other, 'metadata'))
  writeFileSync(join(other, 'metadata/logs.sql'), `ATTACH DATABASE _ ${UUID}\nENGINE = Filesystem('/')\n`)
  await expect(refuseForeign(other)).rejects.toThrow('its engine is not Atomic')
  expect(readdirSync(other)).toEqual(['metadata'])
})
