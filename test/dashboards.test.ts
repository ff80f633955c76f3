import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asker } from '../src/engine/queries/ask.ts'
import { panelQuery } from '../src/engine/queries/panels.ts'
import type { Dashboard } from '../src/model/dashboard.ts'
import { loadShipped } from '../src/packs/load.ts'
import { eventTable } from '../src/pipeline/rows.ts'
import { compileSchema } from '../src/stages/normalise/compile.ts'
import { type ChdbLake, createChdbLake } from '../src/stages/store/chdb.ts'

/** The dashboards of shipped packs, whose panels run on a lake that has no events yet. */
const folder = mkdtempSync(join(tmpdir(), 'caracal-dashboards-'))
const span = { sinceMs: Date.parse('2023-05-15T00:00:00Z'), untilMs: Date.parse('2023-05-16T00:00:00Z') }
const { dashboards, schemas } = await loadShipped()
let lake: ChdbLake
let ask: ReturnType<typeof asker>

beforeAll(async () => {
  lake = await createChdbLake({ dataDir: folder, fsync: false })
  const tables = schemas.map(({ document, file }) => eventTable(compileSchema(document, { file })))
  const world = { saved: new Map(), tables }
  ask = asker({ lake, flush: async () => {}, world: () => world, now: Date.now })
})
afterAll(async () => {
  await lake.close()
  rmSync(folder, { recursive: true, force: true })
})

test('there is one for the network, the web server and the machine', () => {
  expect(dashboards.map(({ name }) => name).sort()).toEqual(['Network (Zeek)', 'This machine', 'Web server'])
})

/** What the kind of a panel needs of the result: a number, or names or times with numbers. */
const NUMBER = /^(?:Nullable\()?U?Int|^(?:Nullable\()?Float/
const FIRST: Record<string, RegExp> = { number: NUMBER, line: /^DateTime/, bar: /String/, table: /./, map: /String/ }

describe.each(dashboards as Dashboard[])('$name', ({ panels }) => {
  test.each(panels)('$title', async (panel) => {
    const { sql, ...options } = panelQuery(panel, [], span)!
    const { columns, rowsRead = 0 } = await ask(sql, { ...options, counted: true })
    expect(columns[0]!.type).toMatch(FIRST[panel.kind]!)
    if (panel.kind === 'line' || panel.kind === 'bar') for (const { type } of columns.slice(1)) expect(type).toMatch(NUMBER)
    expect(rowsRead).toBe(0)
  })
})
