import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { RiskEntity } from '../model/risk.ts'
import type { StateDb } from './db.ts'
import { riskStore, saveRisk } from './risk.ts'
import { listRisk, type RiskPlace } from './risk-list.ts'

onEachState(({ open }) => {
  const DAY_MS = 86_400_000
  let folder: string
  let db: StateDb
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-risk-'))
    db = await open(folder)
  })
  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const entity = (value: string, score: number, atMs: number): RiskEntity => ({
    field: 'p_any_usernames',
    value,
    score,
    atMs,
    isAlerted: score >= 100,
    shares: [{ ruleId: 'A', points: score, times: 1, lastMs: atMs }],
  })
  const save = (entities: readonly RiskEntity[], maxEntities = 1000, halfLifeMs = DAY_MS) =>
    db.transaction().execute((tx) => saveRisk(tx, { entities, halfLifeMs, maxEntities }))
  const read = (...values: string[]) => riskStore(db).read(values.map((value) => ({ field: 'p_any_usernames', value })))

  test('entities are read as they were last stored', async () => {
    await save([entity('ana', 40, 5 * DAY_MS), entity("o'b\u{1f600}", 120.25, 5 * DAY_MS)])
    await save([entity('ana', 80.5, 6 * DAY_MS)])
    expect(await read('ana', "o'b\u{1f600}", 'none')).toEqual([
      entity('ana', 80.5, 6 * DAY_MS),
      entity("o'b\u{1f600}", 120.25, 5 * DAY_MS),
    ])
    expect(await riskStore(db).read([{ field: 'p_any_emails', value: 'ana' }])).toEqual([])
  })

  test('beyond the limit, those of whom least is left are forgotten, whenever they were seen', async () => {
    // 30 after a day is more than 14 now, and 200 after four days is less.
    await save(
      [entity('old', 200, 0), entity('yesterday', 30, 3 * DAY_MS), entity('now', 14, 4 * DAY_MS), entity('most', 90, 4 * DAY_MS)],
      3,
    )
    expect((await read('old', 'yesterday', 'now', 'most')).map(({ value }) => value).sort()).toEqual(['most', 'now', 'yesterday'])
    await save(
      Array.from({ length: 50 }, (_, i) => entity(`flood${i}`, 5, 4 * DAY_MS)),
      3,
    )
    expect((await read('most', 'yesterday', 'now')).map(({ value }) => value)).toHaveLength(3)
  })

  test('risk that has decayed to nothing is forgotten', async () => {
    await save([entity('gone', 100, 0)])
    await save([entity('here', 5, 20 * DAY_MS)])
    expect((await read('gone', 'here')).map(({ value }) => value)).toEqual(['here'])
  })

  const NOW_MS = 20_000 * DAY_MS
  /** More than are ranked again at once. */
  const many = Array.from({ length: 1201 }, (_, i) => entity(`user${i}`, 50 + i / 100, NOW_MS - DAY_MS))

  for (const [how, halfLifeMs] of [
    ['shorter', DAY_MS / 2],
    ['longer', 7 * DAY_MS],
  ] as const)
    test(`with a ${how} half-life, what is left is compared by the new one`, async () => {
      await save(many, 10_000)
      await save([entity('now', 5, NOW_MS)], 10_000, halfLifeMs)
      expect(await read('now', ...many.map(({ value }) => value))).toHaveLength(many.length + 1)
      // 50 after a day is more than 5 now, and less than 1000.
      await save([entity('most', 1000, NOW_MS)], 3, halfLifeMs)
      expect((await read('now', 'most', ...many.map(({ value }) => value))).map(({ value }) => value).sort()).toEqual([
        'most',
        'user1199',
        'user1200',
      ])
    })

  test('many entities take few statements, to store and to forget', async () => {
    const statements: string[] = []
    const counting = db.withPlugin({
      transformQuery: ({ node }) => {
        statements.push(node.kind)
        return node
      },
      transformResult: async ({ result }) => result,
    })
    const entities = Array.from({ length: 5000 }, (_, i) => entity(`user${i}`, 10 + i, NOW_MS))
    await counting.transaction().execute((tx) => saveRisk(tx, { entities, halfLifeMs: DAY_MS, maxEntities: 100 }))
    expect(statements.length).toBeLessThan(70)
    const left = await read(...entities.map(({ value }) => value))
    expect(left.map(({ value }) => value).sort()).toEqual(
      entities
        .slice(-100)
        .map(({ value }) => value)
        .sort(),
    )
  })

  test('a filter that few meet is looked for in parts, and what is listed is complete', async () => {
    const many = Array.from({ length: 20_500 }, (_, i) =>
      entity(`${i % 5000 === 4999 ? 'rare' : 'usual'}${i}`, 100 + i / 1000, 0),
    )
    await save(many, 30_000)
    const found: string[] = []
    const lengths: number[] = []
    for (let after: RiskPlace | undefined, isLast = false; !isLast; isLast = after === undefined) {
      const page = await listRisk(db, {
        ...{ fields: [], prefix: 'rare', minScore: 1, nowMs: 0, halfLifeMs: DAY_MS, limit: 3 },
        ...(after && { after }),
      })
      found.push(...page.entities.map(({ value }) => value))
      lengths.push(page.entities.length)
      after = page.next
    }
    expect(found).toEqual(['rare19999', 'rare14999', 'rare9999', 'rare4999'])
    expect(lengths).toEqual([3, 1])
  })
})
