import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Column, TableSpec } from '../../src/model/column.ts'
import { lakes } from '../../src/stages/store/index.ts'
import type { Lake, LakeDefinition, LakeDeps } from '../../src/stages/store/lake.ts'
import { RowWriter } from '../../src/stages/store/row-writer.ts'
import { blocksOf, type ValueRow, valueEncoder } from '../../src/util/block/encode.ts'
import { Refused, RetryLater } from '../../src/util/errors.ts'
import { parseJson } from '../../src/util/json.ts'
import { PASSWORD } from '../support/clickhouse-server.ts'
import type { Behaviour, Suite } from './behaviours.ts'

export type AnyLake = LakeDefinition<string, never>

const STANDARD: readonly Column[] = [
  { name: 'p_log_type', kind: 'string', required: true },
  { name: 'p_row_id', kind: 'string', required: true },
  { name: 'p_event_time', kind: 'timestamp', required: true },
  { name: 'p_parse_time', kind: 'timestamp', required: true },
  { name: 'p_source_id', kind: 'string', required: true },
]
const MAX_ROWS = 1000

function tableOf(table: string, columns: readonly Column[] = [], database = 'logs'): TableSpec {
  return { database, table, columns: [...STANDARD, ...columns], timeColumn: 'p_event_time' }
}

function rowOf(id: string, values: ValueRow = [], source = 'web'): ValueRow {
  return ['Test.Log', id, '2024-04-19T10:00:00.123456789Z', '2024-04-19T10:00:01Z', source, ...values]
}

const ids = (count: number) => Array.from({ length: count }, (_, i) => rowOf(`${i}`))
/** Integers beyond JavaScript's safe range are bigints. */
const values = (rows: readonly string[]) =>
  rows.map((row) => {
    const read = parseJson(row, { maxDepth: 10 })
    return read.kind === 'ok' ? read.value : read.message
  })

/** A lake in its own folder, which is removed with it. */
class TestLake {
  readonly folder = mkdtempSync(join(tmpdir(), 'caracal-lake-suite-'))
  lake!: Lake
  readonly #definition: AnyLake

  constructor(definition: AnyLake) {
    this.#definition = definition
  }

  async open(): Promise<Lake> {
    const { config, example } = this.#definition
    const limits = { maxQueryMs: 30_000, maxRows: MAX_ROWS }
    const deps: LakeDeps = { dataDir: this.folder, ...limits, onProblems: () => {}, secret: () => PASSWORD, trusted: {} }
    this.lake = await this.#definition.create(config.parse(example), deps)
    await this.lake.ready()
    return this.lake
  }

  /** Inserts rows into a table as the flusher does. */
  async insert(table: TableSpec, rows: readonly ValueRow[], token: string): Promise<number> {
    const folder = mkdtempSync(join(this.folder, 'inserts-'))
    const blocks = blocksOf(rows, valueEncoder(table.columns)).map((block) => block.rows)
    return (await new RowWriter(folder, this.lake).insert(table, blocks, token)).length
  }

  async count(table: TableSpec): Promise<unknown> {
    const { rows } = await this.lake.query(`SELECT count(*) FROM ${table.database}.${table.table}`)
    return values(rows)[0]
  }
}

/** A behaviour of an opened lake, which is closed afterwards. */
function behaviour(name: string, check: (lake: TestLake) => Promise<void>): Behaviour<AnyLake> {
  return {
    name,
    async check(definition) {
      const own = new TestLake(definition)
      await own.open()
      try {
        await check(own)
      } finally {
        await own.lake.close()
        rmSync(own.folder, { recursive: true, force: true })
      }
    },
  }
}

/** Reads every combination of four rows of a table: takes practically forever. */
const endless = ({ database, table }: TableSpec) => {
  const from = ['a', 'b', 'c', 'd'].map((name) => `${database}.${table} AS ${name}`).join(', ')
  return `SELECT count(*) FROM ${from} WHERE concat(a.p_row_id, b.p_row_id, c.p_row_id, d.p_row_id) = 'x'`
}

const behaviours: readonly Behaviour<AnyLake>[] = [
  behaviour('gives back what was stored, exactly, also from before a column was added', async (own) => {
    const kinds: readonly Column[] = [
      { name: 'n', kind: 'bigint' },
      { name: 'u', kind: 'ubigint' },
      { name: 'f', kind: 'float' },
      { name: 'b', kind: 'boolean' },
      { name: 's', kind: 'string' },
      { name: 't', kind: 'timestamp' },
      { name: 'l', kind: 'strings' },
    ]
    const [narrow, wide] = [tableOf('exact', kinds.slice(0, 1)), tableOf('exact', kinds)]
    await own.lake.ensure(narrow)
    expect(await own.insert(narrow, [rowOf('1', [-5])], 'first')).toBe(0)
    await own.lake.ensure(wide)
    const row = [9223372036854775807n, 18446744073709551615n, 0.1, true, 'é \0"\\\n', '1969-12-31T23:59:59.999999999Z', ['', 'x']]
    expect(
      await own.insert(
        wide,
        [
          rowOf('2', row as ValueRow),
          rowOf(
            '3',
            kinds.map(() => null),
          ),
        ],
        'second',
      ),
    ).toBe(0)
    const { columns, rows } = await own.lake.query('SELECT n, u, f, b, s, t, l FROM logs.exact ORDER BY p_row_id')
    expect(columns.map(({ name }) => name)).toEqual(kinds.map(({ name }) => name))
    const nothing = kinds.map(({ kind }) => (kind === 'strings' ? [] : null))
    expect(values(rows)).toEqual([[-5, ...nothing.slice(1)], row, nothing])
  }),

  behaviour('stores the rows of a token once, however often and in whatever order it is asked', async (own) => {
    let tables = 0
    const token = fc.constantFrom('a', 'b', "it's \\")
    await fc.assert(
      fc.asyncProperty(fc.array(token, { minLength: 1, maxLength: 6 }), fc.boolean(), async (tokens, together) => {
        const table = tableOf(`once_${++tables}`)
        await own.lake.ensure(table)
        const insert = (one: string) => own.insert(table, ids(3), one)
        if (together) await Promise.all(tokens.map(insert))
        else for (const one of tokens) await insert(one)
        expect(await own.count(table)).toEqual([3 * new Set(tokens).size])
      }),
      { numRuns: 8, seed: 7 },
    )
  }),

  behaviour('refuses for good what it can never keep, and says why', async (own) => {
    const twice = tableOf('twice', [{ name: 'p_row_id', kind: 'string' }])
    for (const table of [tableOf('x', [], 'elsewhere'), twice, { ...tableOf('y'), timeColumn: 'p_row_id' }]) {
      const made = own.lake.ensure(table)
      await expect(made).rejects.toBeInstanceOf(Refused)
      await expect(made).rejects.toThrow(/.{10}/)
    }
  }),

  behaviour('answers queries with values for placeholders, cut at the limit, and says so', async (own) => {
    const table = tableOf('asked')
    await own.lake.ensure(table)
    await own.insert(table, ids(MAX_ROWS + 5), 't')
    const hostile = `' OR 1=1 -- \\ \n ü`
    const asked = await own.lake.query('SELECT {text:String}, {n:Int64} + 1', { params: { text: hostile, n: 41 } })
    expect([values(asked.rows), asked.truncated]).toEqual([[[hostile, 42]], false])
    const cut = await own.lake.query('SELECT p_row_id FROM logs.asked ORDER BY p_row_id DESC', { maxRows: 3 })
    expect([cut.rows, cut.truncated]).toEqual([['["999"]', '["998"]', '["997"]'], true])
    const all = await own.lake.query('SELECT p_row_id FROM logs.asked')
    expect([all.rows.length, all.truncated]).toEqual([MAX_ROWS, true])
  }),

  behaviour('lets a query read and nothing else', async (own) => {
    const table = tableOf('safe')
    await own.lake.ensure(table)
    await own.insert(table, ids(2), 't')
    for (const sql of [
      'DROP TABLE logs.safe',
      'DELETE FROM logs.safe',
      "INSERT INTO logs.safe VALUES ('x')",
      'SELECT 1; SELECT 2',
      '',
      'SELECT nothing FROM logs.safe',
    ])
      await expect(own.lake.query(sql), sql).rejects.toBeInstanceOf(Refused)
    expect(await own.count(table)).toEqual([2])
  }),

  behaviour('ends a query whose time is up or whose caller gives up, and goes on', async (own) => {
    const table = tableOf('long')
    await own.lake.ensure(table)
    await own.insert(table, ids(5000), 't')
    await expect(own.lake.query(endless(table), { timeoutMs: 300 })).rejects.toThrow(/300 ms/)
    const caller = new AbortController()
    const ends = ['a', 'b', 'c'].map(() =>
      own.lake.query(endless(table), { signal: caller.signal }).catch((error: unknown) => error),
    )
    caller.abort()
    for (const end of await Promise.all(ends)) expect(end).toBeInstanceOf(Refused)
    expect(await own.count(table)).toEqual([5000])
  }),

  behaviour('takes rows while every reader is busy', async (own) => {
    const table = tableOf('busy')
    await own.lake.ensure(table)
    await own.insert(table, ids(5000), 't')
    const caller = new AbortController()
    const ends = ['a', 'b', 'c', 'd'].map(() => own.lake.query(endless(table), { signal: caller.signal }).catch(() => {}))
    expect(await own.insert(table, ids(1), 'other')).toBe(0)
    caller.abort()
    await Promise.all(ends)
    expect(await own.count(table)).toEqual([5001])
  }),

  behaviour('removes a source with its events, matches and dead letters, and nothing of another one', async (own) => {
    const rule: Column = { name: 'p_rule_id', kind: 'string', required: true }
    const letters: TableSpec = {
      ...tableOf('dead_letters', [{ name: 'source', kind: 'string', required: true }], 'monitor'),
      columns: [...STANDARD.slice(0, 4), { name: 'source', kind: 'string', required: true }],
    }
    const tables = [tableOf('sourced'), tableOf('sourced', [rule], 'matches'), letters]
    for (const table of tables) {
      await own.lake.ensure(table)
      const more = table.columns.slice(STANDARD.length).map(() => 'rule')
      await own.insert(table, [rowOf('1', more, 'demo'), rowOf('2', more, "it's"), rowOf('3', more, 'demo')], 't')
    }
    const counts = () => Promise.all(tables.map((table) => own.count(table)))
    await own.lake.removeSource('unknown')
    expect(await counts()).toEqual([[3], [3], [3]])
    await own.lake.removeSource('demo')
    expect(await counts()).toEqual([[1], [1], [1]])
    await own.lake.removeSource("it's")
    expect(await counts()).toEqual([[0], [0], [0]])
  }),

  behaviour('holds rows and tokens when it is opened again', async (own) => {
    const table = tableOf('kept')
    await own.lake.ensure(table)
    await own.insert(table, ids(4), 't')
    await own.lake.close()
    await own.open()
    expect(await own.count(table)).toEqual([4])
    await own.insert(table, ids(4), 't')
    await own.insert(table, ids(1), 'other')
    expect(await own.count(table)).toEqual([5])
  }),

  behaviour('may be closed twice, and takes nothing afterwards', async (own) => {
    await own.lake.close()
    await own.lake.close()
    await expect(own.lake.query('SELECT 1')).rejects.toBeInstanceOf(RetryLater)
    await expect(own.lake.ensure(tableOf('late'))).rejects.toBeInstanceOf(RetryLater)
  }),
]

/** Behaviours required of every lake. */
export const lakeSuite: Suite<AnyLake, AnyLake> = {
  kind: 'lake',
  registry: lakes as unknown as readonly AnyLake[],
  subjectOf: (definition) => definition,
  behaviours,
}
