import { expect, test } from 'vitest'
import type { Event } from '../model/event.ts'
import type { WrittenRow } from '../model/table-write.ts'
import type { Table } from '../stages/enrich/table.ts'
import { lineSchema } from './loop.fixture.ts'
import { TableReplica } from './table-replica.ts'
import { type StoredTable, TableWriter } from './table-writer.ts'
import { tableOf, tablesOf } from './written-tables.fixture.ts'

const definition = tableOf({ MaxRows: 300 })
const tables = tablesOf(definition)
const wrote = (...pairs: readonly [key: string, value: string][]) => [
  { schema: lineSchema, events: pairs.map(([key, value]) => ({ key, value }) as unknown as Event) },
]
const valueIn = (all: readonly Table[], key: string) => all[0]!.get(key)?.['value']

async function writerWith(stored: { readonly number: number; readonly tables: readonly StoredTable[] }) {
  const reports: (string | undefined)[] = []
  const writer = new TableWriter({ load: async () => stored, onFull: (_table, message) => reports.push(message) })
  await writer.open(tables)
  return { writer, reports }
}
const NOTHING = { number: 0, tables: [] }
const row = (key: string, value: string, order: number): WrittenRow => {
  const times = { sinceMs: 1, createdMs: 1, writtenMs: 1, readMs: 1 }
  return { key, spelling: key, text: JSON.stringify({ key, value }), version: order, order, ...times }
}

test('a batch waits until all earlier ones have said what they write, or will never be able to', async () => {
  const { writer } = await writerWith(NOTHING)
  const [first, second, third] = [writer.begin(tables, 1), writer.begin(tables, 1), writer.begin(tables, 1)]
  const seen = third.enter(wrote(['a', '3']))
  second.giveUp()
  await first.enter(wrote(['a', '1']))
  expect(valueIn(await seen, 'a')).toBe('1')
  // Processed again without what ended threads, when others have already gone on.
  expect(valueIn(await second.enter(wrote(['a', '2'])), 'a')).toBe('1')
  third.end()
  expect([first, second, third].map(({ write }) => write?.number)).toEqual([1, undefined, 2])
  expect(valueIn(writer.latest(tables), 'a')).toBe('3')
})

test('numbers continue after a restart, and rows that were written under another key end with the next write', async () => {
  const old = { name: 'seen', shape: 'of other columns' }
  const { writer } = await writerWith({
    number: 41,
    tables: [
      { id: old, rows: [row('x', 'old', 3)] },
      { id: definition.shape.id, rows: [row('a', 'kept', 7)] },
    ],
  })
  const batch = writer.begin(tables, 9)
  expect(valueIn(await batch.enter(wrote(['b', '1'])), 'a')).toBe('kept')
  batch.end()
  await writer.begin(tables, 9).enter([])
  expect(batch.write).toMatchObject({
    number: 42,
    changes: [
      { table: old, key: 'x', before: { order: 3 }, after: undefined, atMs: 9 },
      { table: definition.shape.id, key: 'b', after: { version: 42, order: 8 } },
    ],
  })
})

test('rows stay as long as content with another key is prepared, and end once it is in force', async () => {
  const { writer } = await writerWith(NOTHING)
  const send = async (to: typeof tables, key: string) => {
    const batch = writer.begin(to, 5)
    await batch.enter(wrote([key, '1']))
    batch.end()
    await writer.begin(to, 5).enter([])
    return batch.write!.changes.map(({ table, key: changed, after }) => [
      table.shape === definition.shape.id.shape,
      changed,
      !!after,
    ])
  }
  await send(tables, 'a')
  const next = tablesOf(tableOf({}, { Match: 'ignore_case' }))
  await writer.open(next)
  expect(await send(tables, 'b')).toEqual([[true, 'b', true]])
  expect(await send(next, 'C')).toEqual([
    [true, 'a', false],
    [true, 'b', false],
    [false, 'c', true],
  ])
  expect(await send(next, 'd')).toEqual([[false, 'd', true]])
})

test('a full table is reported until an hour has passed without a row too many', async () => {
  const { writer, reports } = await writerWith(NOTHING)
  const many = Array.from({ length: 301 }, (_, i): [string, string] => [`k${i}`, '1'])
  const send = async (receivedMs: number, ...pairs: readonly [string, string][]) => {
    const batch = writer.begin(tables, receivedMs)
    await batch.enter(wrote(...pairs))
    batch.end()
  }
  await send(0, ...many)
  await send(3_600_000, ['k9', '2'])
  await send(3_600_001, ['k9', '3'])
  await send(3_600_002, ['k9', 'x'.repeat(9000)])
  await writer.begin(tables, 0).enter([])
  expect(reports).toEqual([
    'Table seen is full: rows written longest ago are removed to make room (Events.MaxRows is 300).',
    undefined,
    'Events write rows of table seen that are longer than 8192 characters, which are left out.',
  ])
})

test('a thread that is new, far behind or works on an older batch gets all rows as that batch sees them', async () => {
  const { writer } = await writerWith(NOTHING)
  const given: boolean[] = []
  const replica = () =>
    new TableReplica(async (asked) => {
      const answer = await writer.answer(asked)
      given.push(answer.isWhole)
      return structuredClone(answer)
    })
  const [steady, other] = [replica(), replica()]
  const by = (one: TableReplica, place: number) => one.batch(tables, place)
  const old = writer.begin(tables, 1)
  for (let i = 0; i < 300; i++) {
    const batch = writer.begin(tables, 1)
    if (i === 0) await by(steady, old.number).enter(wrote(['a', 'old']))
    const own = await by(steady, batch.number).enter(wrote(['a', String(i)]))
    expect(valueIn(own, 'a')).toBe(i === 0 ? 'old' : String(i - 1))
    if (i === 0) expect(valueIn(await by(other, batch.number).enter([]), 'a')).toBe('old')
    batch.end()
  }
  expect(given.filter(Boolean)).toHaveLength(1 + 1)
  const last = writer.begin(tables, 1)
  expect(valueIn(await by(other, last.number).enter([]), 'a')).toBe('299')
  // The first batch is processed again in a thread that never had its rows.
  expect(valueIn(await by(other, old.number).enter(wrote(['a', 'ignored'])), 'a')).toBeUndefined()
  expect(valueIn(await by(other, last.number).enter([]), 'a')).toBe('299')
  expect(given.slice(-3)).toEqual([true, true, false])
})
