import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { versionOf } from '../../stages/enrich/content.ts'
import { defineTable, type TableDefinition } from '../../stages/enrich/definition.ts'
import { tableFolder } from '../../stages/enrich/versions/files.ts'
import { VersionStore } from '../../stages/enrich/versions/version-store.ts'
import { type ChdbLake, createChdbLake } from '../../stages/store/chdb.ts'
import { RetryLater } from '../../util/errors.ts'
import { stringifyJson } from '../../util/json.ts'
import type { TableFiles } from '../table-work/jobs.ts'
import { TableWork } from '../table-work/table-work.ts'
import { Lookups } from './lookups.ts'
import { namesOfLookups } from './names.ts'

const T = Date.parse('2024-04-19T10:00:00Z')
const MINUTE = 60_000

let dataFolder: string
let lake: ChdbLake
let troubles: string[]
let tables: Map<string, object>
const started: Lookups[] = []

beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'lookups-'))
  lake = await createChdbLake({ dataDir: dataFolder, fsync: false })
  troubles = []
  tables = new Map()
}, 60_000)
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
  await lake.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

const fileOf = (name: string) => join(dataFolder, `${encodeURIComponent(name)}.yml`)
const definitions = (): TableDefinition[] => [...tables].map(([name, document]) => defineTable(document, { file: fileOf(name) }))

function define(name: string, more: object = {}): void {
  const LogTypeMap = { PrimaryKey: 'k', AssociatedLogTypes: [{ LogType: 'A', Selectors: ['s'] }] }
  tables.set(name, { AnalysisType: 'lookup_table', LookupName: name, Filename: 'x.json', LogTypeMap, ...more })
}

/** A version that comes into force that many minutes after T. */
async function keep(name: string, minutes: number, content: string | readonly object[]): Promise<string> {
  const store = await VersionStore.open(tableFolder(join(dataFolder, 'tables'), name))
  const bytes = Buffer.from(typeof content === 'string' ? content : stringifyJson(content as never))
  const version = versionOf(bytes)
  await store.keep(await store.candidate(bytes), {
    version,
    sinceMs: T + minutes * MINUTE,
    origin: 'fetched',
    fileName: 'x.json',
  })
  return version
}

/** What brings tables into the lake, as after a start. */
function open(change: Partial<Pick<ChdbLake, 'storeLookup'>> = {}): Lookups {
  const own = new Lookups({
    dataFolder,
    lake: {
      query: (...args) => lake.query(...args),
      showLookups: (...args) => lake.showLookups(...args),
      storeLookup: (...args) => lake.storeLookup(...args),
      ...change,
    },
    work: new TableWork(),
    files: async (name): Promise<TableFiles> => ({
      schemas: [],
      tables: [{ name, file: fileOf(name), root: dataFolder, document: tables.get(name) }],
    }),
    onTrouble: (message) => message !== undefined && troubles.push(message),
    now: () => T + 1000 * MINUTE,
    againMs: 10,
  })
  started.push(own)
  return own
}

async function bring(lookups = open()): Promise<void> {
  lookups.update(definitions())
  await lookups.settled()
}

const rowsOf = async (sql: string) => (await lake.query(sql)).rows.map((row) => JSON.parse(row) as unknown[])
const column = async (sql: string) => (await rowsOf(sql)).flat()
const failure = (sql: string) => lake.query(sql).then(String, (error: Error) => error.message)
const history = (name: string) =>
  rowsOf(`SELECT k, v, dateDiff('minute', fromUnixTimestamp64Milli(${T}), p_valid_from), dateDiff('minute', fromUnixTimestamp64Milli(${T}), p_valid_to)
    FROM lookups.${name}_history ORDER BY ALL`)

test('every kept version is brought into the lake, and each new one', { timeout: 120_000 }, async () => {
  define('ips')
  await keep('ips', 0, [{ k: 'a', v: 1 }])
  await keep('ips', 10, [
    { k: 'a', v: 2 },
    { k: 'b', v: 2 },
  ])
  const lookups = open()
  await bring(lookups)
  expect(await rowsOf('SELECT k, v FROM lookups.ips ORDER BY k')).toEqual([
    ['a', 2],
    ['b', 2],
  ])
  // The order of columns and of rows does not count.
  const version = await keep('ips', 20, '[{"v": 2, "k": "b"}, {"k": "c", "v": 3, "note": "new"}]')
  lookups.changed()
  await lookups.settled()
  expect(await rowsOf("SELECT k, v, note, p_version FROM lookups.ips WHERE k = 'c'")).toEqual([['c', 3, 'new', version]])
  expect(await history('ips')).toEqual([
    ['a', 1, 0, 10],
    ['a', 2, 10, 20],
    ['b', 2, 10, null],
    ['c', 3, 20, null],
  ])
  expect(troubles).toEqual([])
})

test.each(['before the lake was asked', 'before the lake had answered'])(
  'a version that came into force when Caracal ended %s is there after the next start, once',
  { timeout: 120_000 },
  async (when) => {
    define('ips')
    await keep('ips', 0, [{ k: 'a', v: 1 }])
    await bring()
    await keep('ips', 10, [{ k: 'b', v: 2 }])
    let asked = () => {}
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const dying = open({
      storeLookup: async (version) => {
        if (when.endsWith('answered')) await lake.storeLookup(version)
        asked()
        throw new RetryLater('it ended')
      },
    })
    dying.update(definitions())
    await isAsked
    await dying.stop()
    await lake.close()
    lake = await createChdbLake({ dataDir: dataFolder, fsync: false })
    await bring()
    expect(await column('SELECT k FROM lookups.ips')).toEqual(['b'])
    expect(await history('ips')).toEqual([
      ['a', 1, 0, 10],
      ['b', 2, 10, null],
    ])
  },
)

test('what the lake does not take is reported, and taken later', { timeout: 120_000 }, async () => {
  define('ips')
  await keep('ips', 0, [{ k: 'a', v: 1 }])
  let calls = 0
  const lookups = open({
    storeLookup: (version) => (++calls === 1 ? Promise.reject(new Error('no space')) : lake.storeLookup(version)),
  })
  await bring(lookups)
  expect(troubles).toEqual(['Lookup tables cannot be brought into the lake: no space'])
  expect(await column('SELECT k FROM lookups.ips')).toEqual(['a'])
})

test('a table is read again when its definition changes', { timeout: 120_000 }, async () => {
  define('ips')
  await keep('ips', 0, [
    { k: 'a', v: 1 },
    { k: 'a', v: 2 },
  ])
  const lookups = open()
  await bring(lookups)
  expect(await column('SELECT v FROM lookups.ips')).toEqual([2])
  define('ips', { RowsPerKey: 'all' })
  await bring(lookups)
  expect(await history('ips')).toEqual([
    ['a', 1, 1000, null],
    ['a', 2, 0, null],
  ])
})

describe('a table says why it has no rows', { timeout: 120_000 }, () => {
  test('without content', async () => {
    define('ips')
    await bring()
    expect(await failure('SELECT k FROM lookups.ips')).toBe(
      'table ips has no content in the lake yet: `caracal tables` says whether it has any',
    )
  })

  test('when its content cannot be read; the others are there', async () => {
    define('ips')
    define('names')
    await keep('ips', 0, '[{"k": "a"')
    await keep('names', 0, [{ k: 'n' }])
    await bring()
    expect(await failure('SELECT k FROM lookups.ips')).toMatch(/^table ips cannot be read: /)
    expect(await column('SELECT k FROM lookups.names')).toEqual(['n'])
  })

  test('when it is gone; its rows end, and it may come back', async () => {
    define('ips')
    define('names')
    await keep('ips', 0, [{ k: 'a', v: 1 }])
    await keep('names', 0, [{ k: 'n' }])
    const lookups = open()
    await bring(lookups)
    const before = tables.get('ips')!
    tables.delete('ips')
    await bring(lookups)
    expect(await failure('SELECT k FROM lookups.ips')).toMatch(/Unknown table/)
    expect(await column("SELECT p_is_over FROM monitor.lookup_rows FINAL WHERE p_table = 'ips' AND p_row_id != ''")).toEqual([
      true,
    ])
    tables.set('ips', before)
    await bring(open())
    expect(await column('SELECT k FROM lookups.ips')).toEqual(['a'])
    expect(await column('SELECT k FROM lookups.names')).toEqual(['n'])
  })
})

test('a name that is no identifier can be written as it is, or as Panther writes it', { timeout: 120_000 }, async () => {
  define('OTX.Pulses')
  define("it's odd")
  await keep('OTX.Pulses', 0, [{ k: 'p', v: 1 }])
  await keep("it's odd", 0, [{ k: 'o', v: 1 }])
  await bring()
  for (const name of ['lookups."OTX.Pulses"', 'lookups.otx_pulses', 'panther_lookups.public.OTX_Pulses'])
    expect(await column(`SELECT k FROM ${name}`)).toEqual(['p'])
  expect(await column('SELECT k FROM lookups."it\'s odd"')).toEqual(['o'])
})

test('of names that collide, the table that is written like it has it', () => {
  const names = namesOfLookups(['A.b', 'a_b', 'a_b_history', 'c'])
  expect(Object.fromEntries([...names].map(([name, { table, isHistory }]) => [name, `${table} ${isHistory}`]))).toEqual({
    a_b: 'a_b false',
    a_b_history: 'a_b_history false',
    a_b_history_history: 'a_b_history true',
    c: 'c false',
    c_history: 'c true',
  })
})
