import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import type { AlertWindow } from '../model/alert.ts'
import type { AlertFilter } from '../model/alert-filter.ts'
import {
  ALERT_QUALITIES,
  type Happening,
  MAX_COMMENTS,
  MAX_CONTEXT_TAGS,
  type TimelineEntry,
  type WorkChange,
} from '../model/alert-work.ts'
import { SEVERITIES } from '../model/rule.ts'
import { changeAlerts, commentAlert } from './alert-changes.ts'
import { countAlerts } from './alert-counts.ts'
import { alertPage } from './alert-list.ts'
import { timelineOf } from './alert-timeline.ts'
import { findAlert, saveWindows, storedAlert } from './alerts.ts'
import type { StateDb } from './db.ts'
import { saveDeliveries, saveDeliveryResults } from './deliveries.ts'
import { deleteWindows } from './groups.ts'
import { delivery, window } from './state.fixture.ts'

onEachState(({ open }) => {
  const ID = window().alertId
  let folder: string
  let db: StateDb

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-alert-work-'))
    db = await open(folder)
  })

  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const save = (...windows: AlertWindow[]) => db.transaction().execute((tx) => saveWindows(tx, windows))
  const change = async (one: WorkChange, version?: number, by = 'ana', alertId = ID) =>
    (await changeAlerts(db, { alertIds: [alertId], change: one, by, nowMs: 500, version }))[0]!.outcome
  const current = async () => storedAlert((await findAlert(db, ID))!)
  const timeline = () => timelineOf(db, ID, { limit: 100_000 })
  const kinds = async () => (await timeline()).map(({ happening }) => happening.kind)

  /** The values that follow from a timeline alone. */
  function fold(entries: readonly TimelineEntry[]) {
    const now: Record<string, unknown> = {
      ...{ status: 'OPEN', reason: null, quality: null, owner: null, context_tags: [], merged_into: null, muted_by: null },
    }
    for (const { happening } of entries) {
      if (happening.kind === 'opened') Object.assign(now, { severity: happening.severity, muted_by: happening.muted_by })
      if (happening.kind === 'opened' || happening.kind === 'matches') now['event_count'] = happening.event_count
      if (happening.kind === 'severity') {
        expect(now['severity']).toBe(happening.from)
        now['severity'] = happening.to
      }
      if (happening.kind === 'changed') {
        expect(now[happening.field]).toEqual(happening.from)
        now[happening.field] = happening.to
      }
    }
    return now
  }

  async function values() {
    const { status, reason, quality, owner, contextTags, mergedInto, mutedBy, severity, eventCount } = await current()
    const same = { status, reason, quality, owner, severity }
    return { ...same, context_tags: contextTags, merged_into: mergedInto, muted_by: mutedBy, event_count: eventCount }
  }

  const tags = fc.array(fc.constantFrom('a', 'b', 'c-1', 'd_2'), { maxLength: 3 })
  const changes = fc.record(
    {
      status: fc.constantFrom('OPEN' as const, 'TRIAGED' as const, 'RESOLVED' as const, 'CLOSED' as const),
      reason: fc.option(fc.constantFrom('why', 'because')),
      quality: fc.option(fc.constantFrom(...ALERT_QUALITIES)),
      owner: fc.option(fc.constantFrom('ana', 'bo')),
      addTags: tags,
      removeTags: tags,
    },
    { requiredKeys: [] },
  )
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('change' as const), change: changes }),
      fc.record({
        kind: fc.constant('matches' as const),
        n: fc.integer({ min: 0, max: 5 }),
        severity: fc.constantFrom(...SEVERITIES),
      }),
      fc.record({ kind: fc.constant('comment' as const) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    ),
    { maxLength: 25 },
  )

  test('whatever people and matches do, the present state follows from the timeline', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await db.transaction().execute((tx) => deleteWindows(tx, [ID]))
        let live = window({ opened: false })
        await save(live)
        let version = 1
        for (const [i, step] of all.entries()) {
          if (step.kind === 'change') {
            const before = await values().catch(() => undefined)
            const outcome = await change(step.change)
            if (!live.opened) expect(outcome).toBe('not_found')
            else {
              const isSame = JSON.stringify(await values()) === JSON.stringify(before)
              expect(outcome).toBe(isSame ? 'unchanged' : 'changed')
              if (!isSame) version++
            }
          } else if (step.kind === 'matches') {
            // As a decision does: it reads the stored window, and matches re-open an alert.
            const stored = live.opened ? await current() : live
            const isOver = stored.status === 'RESOLVED' || stored.status === 'CLOSED'
            if (isOver && step.n > 0) version++
            live = {
              ...window({ eventCount: stored.eventCount + step.n, severity: step.severity, updatedMs: 100 + i }),
              ...(stored.status && { status: isOver && step.n > 0 ? 'OPEN' : stored.status }),
            }
            await save(live)
          } else if (step.kind === 'comment') {
            const comment = await commentAlert(db, { alertId: ID, text: `at ${i}`, by: 'bo', nowMs: i })
            expect(typeof comment).toBe(live.opened ? 'object' : 'string')
          } else {
            await db.destroy()
            db = await open(folder)
          }
          if (live.opened) {
            expect(fold(await timeline())).toEqual(await values())
            expect((await current()).version).toBe(version)
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  test('matches are one entry until something else happens, however many batches they come in', async () => {
    for (let n = 1; n <= 50; n++) await save(window({ eventCount: n, updatedMs: 100 + n }))
    await change({ owner: 'ana' })
    await save(window({ eventCount: 60, updatedMs: 900, severity: 'HIGH' }))
    const entries = await timeline()
    expect(entries.map(({ happening, atMs, untilMs, by }) => [happening, atMs, untilMs, by])).toEqual([
      [{ kind: 'opened', severity: 'LOW', event_count: 1, muted_by: null }, 101, 101, ''],
      [{ kind: 'matches', added: 49, event_count: 50 }, 102, 150, ''],
      [{ kind: 'changed', field: 'owner', from: null, to: 'ana' }, 500, 500, 'ana'],
      [{ kind: 'matches', added: 10, event_count: 60 }, 900, 900, ''],
      [{ kind: 'severity', from: 'LOW', to: 'HIGH' }, 900, 900, ''],
    ] satisfies [Happening, number, number, string][])
  })

  test('of two people who have seen the same version, only the first one changes the alert', async () => {
    await save(window())
    const { version } = await current()
    expect([await change({ owner: 'ana' }, version, 'ana'), await change({ owner: 'bo' }, version, 'bo')]).toEqual([
      'changed',
      'conflict',
    ])
    expect(await current()).toMatchObject({ owner: 'ana', version: version + 1 })
    // Repeating a change whose answer was lost does nothing.
    expect(await change({ owner: 'ana' })).toBe('unchanged')
    expect((await current()).version).toBe(version + 1)
  })

  test('matches do not change the version, so they are no conflict for an edit in progress', async () => {
    await save(window())
    const { version } = await current()
    await save(window({ eventCount: 9 }))
    expect(await change({ status: 'TRIAGED' }, version)).toBe('changed')
  })

  test('tags are limited, and a change beyond the limit changes nothing', async () => {
    await save(window())
    const many = Array.from({ length: MAX_CONTEXT_TAGS }, (_, i) => `t${i}`)
    expect(await change({ addTags: many })).toBe('changed')
    expect(await change({ addTags: ['more'], status: 'CLOSED' })).toBe('too_many')
    expect(await change({ addTags: ['more'], removeTags: ['t0'] })).toBe('changed')
    expect(await current()).toMatchObject({ status: 'OPEN', contextTags: [...many.slice(1), 'more'].sort() })
  })

  test('a comment with a key is made once, and comments are limited', async () => {
    await save(window())
    const say = (key?: string) => commentAlert(db, { alertId: ID, text: 'seen', by: 'ana', nowMs: 7, key })
    expect(await say('k')).toEqual(await say('k'))
    expect((await kinds()).filter((kind) => kind === 'comment')).toHaveLength(1)
    await db
      .insertInto('alert_timeline')
      .values(
        Array.from({ length: MAX_COMMENTS - 1 }, () => ({
          ...{
            alert_id: ID,
            at_ms: 1,
            until_ms: 1,
            by: 'x',
            kind: 'comment',
            key: null,
            detail: '{"kind":"comment","text":"x"}',
          },
        })),
      )
      .execute()
    expect([await say(), await say('k2'), typeof (await say('k'))]).toEqual(['too_many', 'too_many', 'object'])
  })

  test('deliveries are in the timeline once they end, and only then', async () => {
    await save(window())
    await db
      .transaction()
      .execute((tx) => saveDeliveries(tx, [delivery('d1', 'soc'), { ...delivery('d2', 'mail'), kind: 'updated' }]))
    const again = { deliveryId: 'd1', kind: 'again' as const, tries: 1, nextMs: 20, error: 'busy' }
    await saveDeliveryResults(db, [again, { deliveryId: 'gone', kind: 'delivered', tries: 1, nowMs: 1 }])
    await saveDeliveryResults(db, [
      { deliveryId: 'd1', kind: 'delivered', tries: 2, nowMs: 30 },
      { deliveryId: 'd2', kind: 'dead', tries: 1, error: '410 \u0000', nowMs: 40 },
    ])
    expect((await timeline()).slice(1).map(({ happening, atMs }) => [happening, atMs])).toEqual([
      [{ kind: 'delivered', destination: 'soc', sent: 'opened' }, 30],
      [{ kind: 'failed', destination: 'mail', sent: 'updated', error: '410 \u0000' }, 40],
    ])
  })

  test('the timeline goes with its alert', async () => {
    await save(window())
    await db.transaction().execute((tx) => deleteWindows(tx, [ID]))
    expect(await timeline()).toEqual([])
  })

  const ids = Array.from({ length: 40 }, (_, i) => (i + 16).toString(16).padEnd(32, '0'))
  const alerts = fc.array(
    fc.record({
      severity: fc.constantFrom('LOW' as const, 'HIGH' as const),
      ruleId: fc.constantFrom('R', 'S'),
      createdMs: fc.integer({ min: 0, max: 5 }),
      mutedBy: fc.constantFrom(null, null, 'm1'),
      opened: fc.boolean(),
      logType: fc.constantFrom('A', 'B'),
      address: fc.constantFrom('192.0.2.1', '192.0.2.2'),
      title: fc.constantFrom('Tor LOGIN', 'Port opened'),
      owner: fc.constantFrom(undefined, 'ana', 'bo'),
    }),
    { maxLength: 40 },
  )
  const filters = fc.record(
    {
      severities: fc.constantFrom(['LOW'] as const, ['LOW', 'HIGH'] as const),
      ruleId: fc.constant('R'),
      owner: fc.constantFrom(null, 'ana'),
      muted: fc.constantFrom('no' as const, 'only' as const),
      sinceMs: fc.integer({ min: 0, max: 5 }),
      untilMs: fc.integer({ min: 0, max: 5 }),
      logType: fc.constant('A'),
      indicator: fc.constant('192.0.2.1'),
      text: fc.constantFrom('login', '0.2.2'),
    },
    { requiredKeys: [] },
  )

  test('pages and counts of any filter have exactly the alerts that a slow look at each would choose', async () => {
    await fc.assert(
      fc.asyncProperty(
        alerts,
        filters,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 50 }),
        async (made, filter, limit, maxRead) => {
          await db.deleteFrom('alerts').execute()
          for (const [i, { logType, address, title, owner, ...one }] of made.entries()) {
            const indicators = { p_any_ip_addresses: [address] }
            await save(window({ ...one, alertId: ids[i]!, body: { ...window().body, title, logTypes: [logType], indicators } }))
            if (owner) await change({ owner }, undefined, 'x', ids[i]!)
          }
          const fits = (one: (typeof made)[number], f: AlertFilter) =>
            one.opened &&
            (!f.severities || f.severities.includes(one.severity)) &&
            (!f.ruleId || one.ruleId === f.ruleId) &&
            (f.owner === undefined || (one.owner ?? null) === f.owner) &&
            (!f.muted || (one.mutedBy !== null) === (f.muted === 'only')) &&
            (f.sinceMs === undefined || one.createdMs >= f.sinceMs) &&
            (f.untilMs === undefined || one.createdMs < f.untilMs) &&
            (!f.logType || one.logType === f.logType) &&
            (!f.indicator || one.address === f.indicator) &&
            (!f.text || [one.title, one.address].some((text) => text.toLowerCase().includes(f.text!)))
          const expected = made
            .flatMap((one, i) => (fits(one, filter as AlertFilter) ? [{ id: ids[i]!, at: one.createdMs }] : []))
            .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
            .map(({ id }) => id)
          const seen: string[] = []
          let before: { createdMs: number; alertId: string } | undefined
          for (;;) {
            const page = await alertPage(db, filter as AlertFilter, { limit, maxRead, ...(before && { before }) })
            expect(page.alerts.length).toBeLessThanOrEqual(limit)
            seen.push(...page.alerts.map(({ alertId }) => alertId))
            if (!page.next) break
            before = page.next
          }
          expect(seen).toEqual(expected)
          const counts = await countAlerts(db, filter as AlertFilter)
          expect(counts).toMatchObject({ total: expected.length, complete: true })
          const { severities: _, ...others } = filter as AlertFilter
          for (const severity of ['LOW', 'HIGH'] as const)
            expect(counts.severities.find(({ value }) => value === severity)?.count ?? 0).toBe(
              made.filter((one) => fits(one, { ...others, severities: [severity] })).length,
            )
          for (const owner of [null, 'ana', 'bo'])
            expect(counts.owners.find(({ value }) => value === owner)?.count ?? 0).toBe(
              made.filter((one) => fits(one, { ...(filter as AlertFilter), owner })).length,
            )
        },
      ),
      { numRuns: 60 },
    )
  })
})
