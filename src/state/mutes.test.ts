import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { MAX_ACTIVE_MUTES } from '../model/mute.ts'
import type { StateDb } from './db.ts'
import { readGroups } from './groups.ts'
import { activeMutes, addMute, endMute, findMute, listMutes, type NewMute, saveMuteCounts } from './mutes.ts'
import { pipelineState } from './pipeline-state.ts'
import { commitTo, effectsIn, window } from './state.fixture.ts'

onEachState(({ open }) => {
  let folder: string
  let db: StateDb

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caracal-mutes-'))
    db = await open(folder)
  })

  afterEach(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })

  const mute = (part: Partial<NewMute> = {}): NewMute => ({
    ...{
      muteId: 'ab12',
      criteria: { rule: 'R', dedup: '\0\ud800' },
      owner: 'ana',
      reason: 'scan',
      by: 'cli',
      expiresMs: 1000,
      nowMs: 10,
    },
    ...part,
  })

  test('a mute is in force until it expires or is ended, and exists after that', async () => {
    expect(await addMute(db, mute())).toMatchObject({ criteria: { rule: 'R', dedup: '\0\ud800' }, matches: 0, endedMs: null })
    await addMute(db, mute({ muteId: 'cd34', nowMs: 5 }))
    expect((await activeMutes(db, 999)).map(({ muteId }) => muteId)).toEqual(['cd34', 'ab12'])
    expect(await activeMutes(db, 1000)).toEqual([])
    expect(await endMute(db, { muteId: 'ab12', by: 'bo', nowMs: 20 })).toMatchObject({ endedMs: 20, endedBy: 'bo' })
    expect(await endMute(db, { muteId: 'ab12', by: 'eve', nowMs: 30 })).toMatchObject({ endedMs: 20, endedBy: 'bo' })
    expect(await endMute(db, { muteId: 'cd34', by: 'bo', nowMs: 2000 })).toMatchObject({ endedMs: null })
    expect(await endMute(db, { muteId: 'ffff', by: 'bo', nowMs: 30 })).toBeUndefined()
    const ids = async (which: 'active' | 'over' | 'all') =>
      (await listMutes(db, { which, nowMs: 500, limit: 9 })).map(({ muteId }) => muteId)
    expect([await ids('active'), await ids('over'), await ids('all')]).toEqual([['cd34'], ['ab12'], ['ab12', 'cd34']])
    expect((await findMute(db, 'cd34'))?.muteId).toBe('cd34')
  })

  test('adding a mute again changes nothing, and an id belongs to one mute', async () => {
    const first = await addMute(db, mute())
    await db.transaction().execute((tx) => saveMuteCounts(tx, [{ muteId: 'ab12', matches: 5, alerts: 1 }], 70))
    expect(await addMute(db, mute({ nowMs: 99 }))).toEqual({ ...(first as object), matches: 5, alerts: 1, lastMs: 70 })
    expect(await addMute(db, mute({ reason: 'other' }))).toBe('taken')
  })

  test('a mute is found by its id, also if that begins the id of another, or by what no other id begins with', async () => {
    for (const muteId of ['00ff00ff', '00ff00ff11', '00ff00aa']) await addMute(db, mute({ muteId }))
    const found = async (prefix: string) => (await findMute(db, prefix))?.muteId
    expect(await found('00ff00ff')).toBe('00ff00ff')
    expect(await found('00ff00ff1')).toBe('00ff00ff11')
    expect(await found('00ff00a')).toBe('00ff00aa')
    for (const prefix of ['00ff00f', '00ff', '0fff', '00f', 'zzzz']) expect(await found(prefix)).toBeUndefined()
  })

  test('the number of mutes in force is limited', async () => {
    for (let i = 0; i < MAX_ACTIVE_MUTES; i++) await addMute(db, mute({ muteId: `aa${i.toString(16).padStart(6, '0')}` }))
    expect(await addMute(db, mute({ muteId: 'bbbb' }))).toBe('too_many')
    await endMute(db, { muteId: 'aa000000', by: 'x', nowMs: 11 })
    expect(await addMute(db, mute({ muteId: 'bbbb' }))).toMatchObject({ muteId: 'bbbb' })
  })

  test('a decision sees the mutes in force and where alerts were sent, and a repeated batch counts nothing twice', async () => {
    await addMute(db, mute())
    const state = pipelineState(db)
    const deliveries = [{ deliveryId: 'd', alertId: window().alertId, destination: 'soc', body: '{}', createdMs: 1 }]
    const effects = await effectsIn(state, 's', {
      windows: [window()],
      deliveries,
      mutes: [{ muteId: 'ab12', matches: 3, alerts: 1 }],
    })
    expect([await commitTo(state, effects), await commitTo(state, effects)]).toEqual([true, false])
    expect(await findMute(db, 'ab12')).toMatchObject({ matches: 3, alerts: 1, lastMs: 1000 })
    const known = await db
      .transaction()
      .execute((tx) => readGroups(tx, { groups: [{ groupKey: 'g', ruleId: 'R' }], fromMs: 150 }))
    expect(known.mutes?.map(({ muteId }) => muteId)).toEqual(['ab12'])
    expect(known.sentTo?.get(window().alertId)).toEqual(new Set(['soc']))
  })
})
