import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { onEachState } from '../../test/support/states.ts'
import { KEPT_CALL_MS, type KeyedCall, MAX_KEPT_CALLS } from '../model/answered-call.ts'
import { answeredCall } from './answered-calls.ts'

onEachState(({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), 'caracal-answered-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const opened = () => open(mkdtempSync(join(folder, 'data-')))

  const call: KeyedCall = { owner: 'o', key: 'k', call: 'c' }
  const answer = { status: 200, headers: { etag: '"1"' }, body: '{"a":"\0"}' }

  test('keeps an answer for a day, and no longer', async () => {
    const db = await opened()
    const begin = (nowMs: number) => answeredCall(db, { step: 'begin', call }, nowMs)
    expect(await begin(1000)).toBe('done')
    expect(await begin(1001)).toBe('unended')
    await answeredCall(db, { step: 'keep', call, answer }, 1002)
    expect(await begin(1000 + KEPT_CALL_MS - 1)).toEqual(answer)
    expect(await answeredCall(db, { step: 'begin', call: { ...call, call: 'd' } }, 1003)).toBe('other')
    expect(await answeredCall(db, { step: 'begin', call: { ...call, owner: 'p', call: 'd' } }, 1003)).toBe('done')
    expect(await begin(1000 + KEPT_CALL_MS)).toBe('done')
    await answeredCall(db, { step: 'forget', call }, 0)
    expect(await begin(1000 + KEPT_CALL_MS)).toBe('done')
    await db.destroy()
  })

  test('one caller can fill up only their own share', async () => {
    const db = await opened()
    const rows = Array.from({ length: MAX_KEPT_CALLS }, (_, i) => ({ owner: 'o', key: `${i}`, call: 'c', created_ms: 1000 }))
    for (let at = 0; at < rows.length; at += 1000)
      await db
        .insertInto('answered_calls')
        .values(rows.slice(at, at + 1000))
        .execute()
    expect(await answeredCall(db, { step: 'begin', call }, 1001)).toBe('too_many')
    expect(await answeredCall(db, { step: 'begin', call: { ...call, owner: 'p' } }, 1001)).toBe('done')
    expect(await answeredCall(db, { step: 'begin', call }, 1000 + KEPT_CALL_MS)).toBe('done')
    await db.destroy()
  })
})
