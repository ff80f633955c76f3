import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { wordPattern } from '../util/word-pattern.ts'
import { readState, type StateDb } from './db.ts'
import { eraseFromState, scrubState } from './erase.ts'
import { saveEvidence } from './evidence.ts'
import { changeHold } from './holds.ts'
import { pipelineState } from './pipeline-state.ts'
import { commitTo, delivery, effectsIn, window } from './state.fixture.ts'

onEachState(({ open, type }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-erase-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const ANA = 'ana.lima@example.com'
  const [A, B] = ['a'.repeat(32), 'b'.repeat(32)]

  /** A state in which everything that can contain the value does. */
  async function full(dataDir: string): Promise<StateDb> {
    const db = await open(dataDir)
    const { body } = window()
    const about = (alertId: string) =>
      window({
        alertId,
        groupKey: alertId,
        body: {
          ...body,
          title: `Login by ${ANA}`,
          dedup: `joana.${ANA}`,
          context: JSON.stringify({ text: `\n${ANA}`, phone: '+351 555 0100' }),
          sampleEvent: JSON.stringify({ user: ANA, phone: '+351 555 0100' }),
          indicators: { p_any_emails: [ANA, 'joana.lima@example.com'] },
        },
      })
    const made = await effectsIn(pipelineState(db), 'web', {
      windows: [about(A), about(B)],
      deliveries: [A, B].map((alertId) => ({ ...delivery(alertId, 'soc'), alertId, body: JSON.stringify({ title: ANA }) })),
    })
    await commitTo(pipelineState(db), made)
    await db.transaction().execute((tx) =>
      saveEvidence(
        tx,
        [A, B].map((alertId) => ({ alertId, number: 1, sourceId: 'web', evidence: { raw: ANA } as never })),
      ),
    )
    const times = { created_ms: 1, expires_ms: 2 }
    await db
      .insertInto('mutes')
      .values({ mute_id: 'm', criteria: JSON.stringify({ indicator: ANA }), owner: 'o', reason: ANA, by: 'b', ...times })
      .execute()
    await db
      .insertInto('unknown_fields')
      .values({ source_id: 'web', field: JSON.stringify(['T', ANA]), n: 1 })
      .execute()
    await db
      .insertInto('correlation')
      .values({ id: 'c', rule_id: 'R', wake_ms: 1, value: JSON.stringify({ of: ANA }) })
      .execute()
    await db
      .insertInto('risk')
      .values({ field: 'p_any_emails', value: ANA, score: 1, at_ms: 1, is_alerted: 0, shares: '{}', rank: 1 })
      .execute()
    await db
      .insertInto('rule_cache')
      .values({ key_hash: 'h', entry: JSON.stringify([ANA, '1']), expires_ms: 9e12, written: 1 })
      .execute()
    const row = { table_name: 't', shape: 's', key_hash: 'h', entry: JSON.stringify([ANA, ANA, '{}']), version: 1 }
    const written = { since_ms: 1, created_ms: 1, written_ms: 1, read_ms: 1, position: 1 }
    await db
      .insertInto('written_rows')
      .values({ ...row, ...written })
      .execute()
    await db
      .insertInto('table_status')
      .values({ name: 't', value: JSON.stringify({ error: `no answer about ${ANA}` }) })
      .execute()
    await db
      .insertInto('answered_calls')
      .values({ owner: 'o', key: 'k', call: 'c', created_ms: 1, answer: JSON.stringify({ status: 200, body: ANA }) })
      .execute()
    await changeHold(db, { alertId: B, held: true, reason: 'case 7', by: 'ana', nowMs: 1 })
    return db
  }

  /** The files of the state in which the value is, as a word of its own. */
  const filesWith = (dataDir: string, value: string) =>
    readdirSync(dataDir).filter((name) => wordPattern(value).test(readFileSync(join(dataDir, name), 'latin1')))

  test('removes a value from everything, but for alerts on hold, and only counts when asked to', async () => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    const db = await full(dataDir)
    const rows = {
      ...{ alerts: 1, deliveries: 1, mutes: 1, table_status: 1, unknown_fields: 1, correlation: 1, risk: 1 },
      ...{ rule_cache: 1, written_rows: 1, alert_evidence: 1, answered_calls: 1 },
    }
    const pattern = wordPattern(ANA)
    expect(await eraseFromState(db, pattern, true)).toEqual({ rows, held: [B] })
    expect(await eraseFromState(db, pattern, false)).toEqual({ rows, held: [B] })
    expect(await eraseFromState(db, pattern, false)).toEqual({ rows: {}, held: [B] })
    const [redacted, kept] = await db.selectFrom('alerts').select('body').orderBy('alert_id').execute()
    const body = JSON.parse(redacted!.body) as Record<string, unknown>
    expect(body).toMatchObject({ title: 'Login by [deleted]', context: null, sampleEvent: null })
    expect(body['indicators']).toEqual({ p_any_emails: ['[deleted]', 'joana.lima@example.com'] })
    expect(kept!.body).toContain(ANA)
    expect(await db.selectFrom('deliveries').select('body').orderBy('alert_id').execute()).toEqual([
      { body: '{"title":"[deleted]"}' },
      { body: JSON.stringify({ title: ANA }) },
    ])
    expect(await db.selectFrom('alert_evidence').select('alert_id').execute()).toEqual([{ alert_id: B }])
    await db.destroy()
  })

  test.skipIf(type !== 'sqlite')('afterwards no byte of it is left in the files, once nothing is on hold', async () => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    const db = await full(dataDir)
    await changeHold(db, { alertId: B, held: false, reason: 'closed', by: 'ana', nowMs: 2 })
    expect(filesWith(dataDir, ANA).length).toBeGreaterThan(0)
    await eraseFromState(db, wordPattern(ANA), false)
    await scrubState(db)
    expect(filesWith(dataDir, ANA)).toEqual([])
    expect((await db.selectFrom('alerts').select('alert_id').execute()).length).toBe(2)
    await db.destroy()
  })

  test('a number stays a number where JSON has it', async () => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    const db = await open(dataDir)
    await db.insertInto('table_status').values({ name: 't', value: '{"account":4711,"x":47110}' }).execute()
    await eraseFromState(db, wordPattern('4711'), false)
    expect(await db.selectFrom('table_status').select('value').execute()).toEqual([{ value: '{"account":0,"x":47110}' }])
    await db.destroy()
  })

  test.each(['JOSÉ', 'ДМИТРИЙ'])('a value is found in any case of any alphabet: %s', async (value) => {
    const db = await open(mkdtempSync(join(folder, 'case-')))
    const fields = [value.toLowerCase(), value]
    await db
      .insertInto('unknown_fields')
      .values(fields.map((field) => ({ source_id: 'web', field: JSON.stringify(['T', field]), n: 1 })))
      .execute()
    expect(await eraseFromState(db, wordPattern(value), false)).toMatchObject({ rows: { unknown_fields: 2 } })
    await db.destroy()
  })

  test.skipIf(type !== 'sqlite')(
    'what is left in the log because of a reader is not taken for removed',
    async () => {
      const dataDir = mkdtempSync(join(folder, 'read-'))
      const db = await full(dataDir)
      const reader = readState(dataDir)
      await sql`BEGIN`.execute(reader)
      await sql`SELECT count(*) FROM alerts`.execute(reader)
      await eraseFromState(db, wordPattern(ANA), false)
      await expect(scrubState(db)).rejects.toThrow('somebody reads the state')
      await sql`COMMIT`.execute(reader)
      await scrubState(db)
      expect(readFileSync(join(dataDir, 'state.db-wal'))).toHaveLength(0)
      await reader.destroy()
      await db.destroy()
    },
    30_000,
  )
})
